/// One metric with one set of label values. Recording neither allocates nor waits for more than another recording.
protocol MetricSeries: AnyObject, Sendable {
    var key: SeriesKey { get }
    /// Its samples now.
    func write(into text: inout ExpositionText)
}

/// Which series of which metric.
struct SeriesKey: Hashable, Sendable {
    let metric: String
    /// As written between the braces.
    let labels: String
}
