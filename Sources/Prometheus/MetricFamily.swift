/// One metric with all its series.
struct MetricFamily {
    let description: MetricDescription
    /// By what stands between the braces.
    private var series: [String: any MetricSeries] = [:]

    init(_ description: MetricDescription) {
        self.description = description
        guard description.labels.isEmpty else { return }
        switch description.kind {
        // At zero from the start, so that the first step is seen as a rise. A gauge that nobody set says nothing yet.
        case .counter, .histogram: _ = series(labels: "")
        case .gauge: break
        }
    }

    /// The series of those labels, made if it is not there; nil if there are as many as may be.
    mutating func series(_ dimensions: [(String, String)]) -> (any MetricSeries)? {
        guard dimensions.count <= PrometheusMetrics.labelsMax else { return nil }
        return series(labels: ExpositionText.labels(dimensions, order: description.labels))
    }

    /// Forgets a series, so that it is written no more. Who still holds it counts in vain.
    mutating func remove(_ gone: any MetricSeries) {
        guard series[gone.key.labels] === gone else { return }
        series[gone.key.labels] = nil
    }

    /// Header and samples, in the order of the labels' text; nothing if there are no samples.
    func write(into text: inout ExpositionText) {
        guard !series.isEmpty else { return }
        text.header(description)
        for (_, series) in series.sorted(by: { $0.key < $1.key }) { series.write(into: &text) }
    }

    private mutating func series(labels: String) -> (any MetricSeries)? {
        if let known = series[labels] { return known }
        guard series.count < PrometheusMetrics.seriesMax else { return nil }
        let key = SeriesKey(metric: description.name, labels: labels)
        let made: any MetricSeries =
            switch description.kind {
            case .counter: CounterSeries(key: key)
            case .gauge: GaugeSeries(key: key)
            case .histogram(let buckets): HistogramSeries(key: key, buckets: buckets)
            }
        series[labels] = made
        return made
    }
}
