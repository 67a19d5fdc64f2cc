/// What a metric is asked for as, in swift-metrics' words.
enum HandlerKind {
    case counter
    case meter
    /// Not aggregate is what swift-metrics calls a gauge.
    case recorder(aggregate: Bool)
    case timer

    /// True if a metric so described can be it.
    func fits(_ description: MetricDescription) -> Bool {
        switch (self, description.kind) {
        case (.counter, .counter), (.meter, .gauge), (.recorder, .gauge), (.recorder, .histogram): true
        // A timer's values are seconds, whatever they were measured in.
        case (.timer, .histogram): description.unit == .seconds
        case (.counter, .gauge), (.counter, .histogram), (.meter, .counter), (.meter, .histogram),
            (.recorder, .counter), (.timer, .counter), (.timer, .gauge):
            false
        }
    }

    /// How a metric is kept that nobody described.
    func undescribed(_ name: String) -> MetricDescription {
        let help = "A metric that no table describes."
        return switch self {
        case .counter: .counter(name, labels: [], help: help)
        case .meter, .recorder(aggregate: false): .gauge(name, labels: [], help: help)
        case .recorder(aggregate: true): .histogram(name, buckets: PrometheusMetrics.standardSizes, help: help)
        case .timer: .histogram(name, unit: .seconds, buckets: PrometheusMetrics.standardSeconds, help: help)
        }
    }
}
