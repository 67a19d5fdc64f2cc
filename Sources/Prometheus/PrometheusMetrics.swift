package import CoreMetrics
import Synchronization

/// Keeps metrics and writes them in Prometheus' text exposition format 0.0.4.
///
/// A handle (`Counter`, `Timer` …) that is kept records without allocating: an atomic for counters, a short lock for
/// the rest. Making a handle takes the lock of all metrics, and gives the same series for the same labels.
package final class PrometheusMetrics: MetricsFactory {
    /// Label combinations that one metric may have; samples of further ones are counted as dropped.
    package static let seriesMax = 10_000
    /// Metrics that are kept, described or not.
    package static let metricsMax = 500
    /// Labels of one series.
    package static let labelsMax = 16
    /// Unicode scalars of a label's value; the rest is cut off.
    package static let labelValueLengthMax = 256
    /// Unicode scalars of the name of a metric or label that no table describes; the rest is cut off.
    package static let nameLengthMax = 200
    /// Bounds of one histogram.
    package static let bucketsMax = 64
    /// Buckets of a `Timer` that no table describes, in seconds.
    package static let standardSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Buckets of a `Recorder` that no table describes.
    package static let standardSizes: [Double] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]

    private static let dropped = MetricDescription.counter(
        "metrics_dropped_samples_total",
        labels: ["metric"],
        help: "Samples lost because the metric has \(seriesMax) label combinations already, or was recorded as another "
            + "kind than it has: find which label of it takes ever new values. Its other series are right."
    )
    /// Stands for metrics beyond `metricsMax`.
    private static let otherMetric = "other"

    private struct State {
        var families: [String: MetricFamily] = [:]
        var sampleNames: Set<String> = []

        /// Adds a metric, unless its samples would have another one's name.
        mutating func add(_ description: MetricDescription) -> Bool {
            let names = description.sampleNames
            guard families.count < metricsMax, sampleNames.isDisjoint(with: names) else { return false }
            sampleNames.formUnion(names)
            families[description.name] = MetricFamily(description)
            return true
        }
    }

    private let state: Mutex<State>

    /// - Parameter descriptions: The metrics that are known. Others are kept too, under a name made fit.
    package init(_ descriptions: [MetricDescription]) throws(MetricTableProblem) {
        guard descriptions.count < Self.metricsMax else { throw .tooMany(descriptions.count) }
        var state = State()
        state.sampleNames.formUnion(ProcessMetrics.descriptions.flatMap(\.sampleNames))
        for description in [Self.dropped] + descriptions {
            try description.check()
            guard state.add(description) else { throw .taken(description.name) }
        }
        self.state = Mutex(state)
    }

    /// All metrics now, with those of the process, in the order of their names. Reads `/proc`.
    package func render() -> String {
        let process = ProcessMetrics.now()
        let families = state.withLock { $0.families }
        let names = families.keys + process.values.keys.map(\.name)
        let described = Dictionary(process.values.map { ($0.key.name, $0) }) { first, _ in first }
        var text = ExpositionText()
        for name in names.sorted() {
            if let family = families[name] {
                family.write(into: &text)
            } else if let (description, value) = described[name] {
                text.header(description)
                text.sample(name, labels: "", value: ExpositionText.number(value))
            }
        }
        return text.text
    }

    // What swift-metrics asks of a factory.

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(.counter, label, dimensions) as? any CounterHandler ?? droppedSeries(label)
    }

    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(.counter, label, dimensions) as? any FloatingPointCounterHandler ?? droppedSeries(label)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(.meter, label, dimensions) as? any MeterHandler ?? droppedSeries(label)
    }

    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        series(.recorder(aggregate: aggregate), label, dimensions) as? any RecorderHandler ?? droppedSeries(label)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(.timer, label, dimensions) as? any TimerHandler ?? droppedSeries(label)
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    /// The series, made if need be; nil if it cannot be kept.
    private func series(
        _ kind: HandlerKind,
        _ label: String,
        _ dimensions: [(String, String)]
    ) -> (any MetricSeries)? {
        let name = ExpositionText.sanitised(label)
        return state.withLock { state in
            if state.families[name] == nil { guard state.add(kind.undescribed(name)) else { return nil } }
            guard let family = state.families[name], kind.fits(family.description) else { return nil }
            return state.families[name]?.series(dimensions)
        }
    }

    /// In place of a series that cannot be kept: counts what is lost, by metric.
    private func droppedSeries(_ label: String) -> DroppedSeries {
        let name = ExpositionText.sanitised(label)
        let samples = state.withLock { state in
            let metric = state.families[name] == nil ? Self.otherMetric : name
            return state.families[Self.dropped.name]?.series([("metric", metric)]) as? CounterSeries
        }
        return DroppedSeries(samples: samples ?? CounterSeries(key: SeriesKey(metric: Self.dropped.name, labels: "")))
    }

    private func remove(_ handler: AnyObject) {
        guard let series = handler as? any MetricSeries else { return }
        state.withLock { $0.families[series.key.metric]?.remove(series) }
    }
}
