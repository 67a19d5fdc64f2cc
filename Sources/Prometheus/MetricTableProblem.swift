/// Why a table of metrics cannot be used. A fault of the program, found when it starts.
package enum MetricTableProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name has other signs than letters, digits and underscores, or ends against its kind.
    case name(String)
    /// The name does not end in its unit.
    case unit(String, MetricDescription.Unit)
    /// A label's name has other signs than letters, digits and underscores, stands twice, or is kept by Prometheus.
    case label(String, metric: String)
    /// The buckets are none, too many, not finite or not rising.
    case buckets(String)
    /// There is no help text.
    case help(String)
    /// Two metrics would write samples of one name.
    case taken(String)
    /// More metrics than are kept.
    case tooMany(Int)

    package var description: String {
        switch self {
        case .name(let name):
            "metric name '\(name)': use letters, digits and underscores; a counter, and nothing else, ends in _total"
        case .unit(let name, let unit): "metric \(name) has the unit '\(unit.rawValue)': end its name in it"
        case .label(let label, let metric):
            "label '\(label)' of \(metric): use letters, digits and underscores, once, no __ in front, and not 'le'"
        case .buckets(let name):
            "buckets of \(name): give 1 to \(PrometheusMetrics.bucketsMax) rising, finite bounds"
        case .help(let name): "metric \(name) has no help text: say what whoever is paged should look at"
        case .taken(let name): "metric \(name) would write samples of another metric's name: rename one"
        case .tooMany(let count): "\(count) metrics are described, and \(PrometheusMetrics.metricsMax) is the most"
        }
    }
}

extension MetricDescription {
    /// Checks what can be checked without the rest of the table.
    func check() throws(MetricTableProblem) {
        let stem: String
        switch kind {
        case .counter:
            guard name.hasSuffix("_total") else { throw .name(name) }
            stem = String(name.dropLast("_total".count))
        case .gauge, .histogram:
            guard !["_total", "_bucket", "_sum", "_count"].contains(where: name.hasSuffix) else { throw .name(name) }
            stem = name
        }
        guard ExpositionText.sanitised(name) == name else { throw .name(name) }
        guard stem.hasSuffix(unit.rawValue) else { throw .unit(name, unit) }
        guard !help.isEmpty else { throw .help(name) }
        guard labels.count <= PrometheusMetrics.labelsMax else { throw .label(labels[labels.count - 1], metric: name) }
        for (index, label) in labels.enumerated() {
            guard ExpositionText.sanitised(label) == label, !label.hasPrefix("__"), label != "le",
                !labels[..<index].contains(label)
            else { throw .label(label, metric: name) }
        }
        if case .histogram(let buckets) = kind {
            guard (1...PrometheusMetrics.bucketsMax).contains(buckets.count), buckets.allSatisfy(\.isFinite),
                zip(buckets, buckets.dropFirst()).allSatisfy({ $0 < $1 })
            else { throw .buckets(name) }
        }
    }
}
