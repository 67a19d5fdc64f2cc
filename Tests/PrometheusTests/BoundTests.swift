import CoreMetrics
import Prometheus
import Testing

/// However it is called, the memory that metrics take is bounded, and what is lost is counted.
@Suite(.timeLimit(.minutes(10)))
struct BoundTests {
    static let dropped = "metrics_dropped_samples_total"

    @Test
    func `Beyond the bound on series, samples are counted as dropped, and the series before it go on`() throws {
        let metrics = try PrometheusMetrics([.counter("done_total", labels: ["who"], help: "Done.")])
        for who in 0..<PrometheusMetrics.seriesMax + 3 {
            Counter(label: "done_total", dimensions: [("who", "\(who)")], factory: metrics).increment(by: 2)
        }
        Counter(label: "done_total", dimensions: [("who", "0")], factory: metrics).increment()
        Counter(label: "fine", factory: metrics).increment()
        let read = try ExpositionGrammar(metrics.render())
        #expect(read.family("done_total")?.samples.count == PrometheusMetrics.seriesMax)
        #expect(read.value("done_total", ["who": "0"]) == 3)
        #expect(read.value(Self.dropped, ["metric": "done_total"]) == 3)
        #expect(read.value("fine") == 1)
    }

    @Test
    func `Room that a destroyed series leaves is used again`() throws {
        let metrics = try PrometheusMetrics([.gauge("level", labels: ["who"], help: "Level.")])
        for who in 0..<PrometheusMetrics.seriesMax {
            Meter(label: "level", dimensions: [("who", "\(who)")], factory: metrics).set(1)
        }
        Meter(label: "level", dimensions: [("who", "0")], factory: metrics).destroy()
        Meter(label: "level", dimensions: [("who", "late")], factory: metrics).set(7)
        let read = try ExpositionGrammar(metrics.render())
        #expect(read.value("level", ["who": "late"]) == 7)
        #expect(read.family(Self.dropped) == nil)
    }

    @Test
    func `Beyond the bound on metrics, samples are counted as dropped`() throws {
        let metrics = try PrometheusMetrics([])
        for index in 0..<PrometheusMetrics.metricsMax + 2 {
            Counter(label: "made_up_\(index)", factory: metrics).increment()
        }
        let read = try ExpositionGrammar(metrics.render())
        // One of the metrics is that of dropped samples.
        #expect(read.families.count { $0.name.hasPrefix("made_up_") } == PrometheusMetrics.metricsMax - 1)
        #expect(read.value(Self.dropped, ["metric": "other"]) == 3)
    }

    @Test
    func `A metric recorded as another kind than it has is counted as dropped, and stays what it is`() throws {
        let metrics = try PrometheusMetrics([
            .counter("done_total", help: "Done."), .gauge("level", help: "Level."),
            .histogram("size", buckets: [1], help: "Size."),
        ])
        Meter(label: "done_total", factory: metrics).set(9)
        Timer(label: "level", factory: metrics).recordMilliseconds(1)
        Counter(label: "size", factory: metrics).increment()
        Timer(label: "size", factory: metrics).recordMilliseconds(1)
        Recorder(label: "done_total", factory: metrics).record(9)
        FloatingPointCounter(label: "level", factory: metrics).increment(by: 9)
        let read = try ExpositionGrammar(metrics.render())
        #expect(read.value("done_total") == 0)
        #expect(read.value("size_count") == 0)
        #expect(read.value(Self.dropped, ["metric": "done_total"]) == 2)
        #expect(read.value(Self.dropped, ["metric": "level"]) == 2)
        #expect(read.value(Self.dropped, ["metric": "size"]) == 2)
    }

    @Test(arguments: ["size_count", "size.sum", "process_open_fds", "metrics_dropped_samples_total"])
    func `No made-up metric writes samples under another one's name`(label: String) throws {
        let metrics = try PrometheusMetrics([.histogram("size", buckets: [1], help: "Size.")])
        Meter(label: label, factory: metrics).set(-1)
        let read = try ExpositionGrammar(metrics.render())
        #expect(!read.families.flatMap(\.samples).contains { $0.value == -1 })
        #expect(read.family(Self.dropped)?.samples.map(\.value) == [1])
    }

    @Test
    func `A label's value is cut, and a series of too many labels is dropped`() throws {
        let metrics = try PrometheusMetrics([])
        let long = String(repeating: "x", count: PrometheusMetrics.labelValueLengthMax + 100)
        Counter(label: "long", dimensions: [("text", long)], factory: metrics).increment()
        let many = (0...PrometheusMetrics.labelsMax).map { ("label\($0)", "x") }
        Counter(label: "many", dimensions: many, factory: metrics).increment()
        let read = try ExpositionGrammar(metrics.render())
        #expect(read.value("long", ["text": String(long.prefix(PrometheusMetrics.labelValueLengthMax))]) == 1)
        #expect(read.value(Self.dropped, ["metric": "many"]) == 1)
    }
}
