/// What is known of a metric before its first sample: whoever keeps metrics declares each once, in one table.
package struct MetricDescription: Hashable, Sendable {
    /// What a metric does over time.
    package enum Kind: Hashable, Sendable {
        /// Only rises, until the process ends. Made by `Counter` and `FloatingPointCounter`.
        case counter
        /// Rises and falls. Made by `Meter`, `Gauge` and `Recorder`.
        case gauge
        /// Counts values by the lowest of these upper bounds that is not below them; bounds are in the metric's unit,
        /// rising, and a value on a bound belongs to it. Made by `Timer` and `Recorder`.
        case histogram(buckets: [Double])
    }

    /// What a metric's numbers are. Prometheus asks for base units, named in the metric's name.
    package enum Unit: String, Hashable, Sendable {
        /// Things that are counted, or a bare number.
        case none = ""
        case seconds = "_seconds"
        case bytes = "_bytes"
    }

    /// As Prometheus shows it. A counter's ends in `_total`, and before that stands the unit.
    package let name: String
    package let kind: Kind
    package let unit: Unit
    /// Names of the labels, in the order in which they are written.
    package let labels: [String]
    /// For who is paged: what it says, and where to look next.
    package let help: String

    /// A metric that only rises.
    package static func counter(
        _ name: String,
        unit: Unit = .none,
        labels: [String] = [],
        help: String
    ) -> MetricDescription {
        MetricDescription(name: name, kind: .counter, unit: unit, labels: labels, help: help)
    }

    /// A metric that rises and falls.
    package static func gauge(
        _ name: String,
        unit: Unit = .none,
        labels: [String] = [],
        help: String
    ) -> MetricDescription {
        MetricDescription(name: name, kind: .gauge, unit: unit, labels: labels, help: help)
    }

    /// A metric that counts values by size.
    /// - Parameter buckets: Upper bounds in `unit`, rising; the bound of infinity is added.
    package static func histogram(
        _ name: String,
        unit: Unit = .none,
        buckets: [Double],
        labels: [String] = [],
        help: String
    ) -> MetricDescription {
        MetricDescription(name: name, kind: .histogram(buckets: buckets), unit: unit, labels: labels, help: help)
    }

    /// The names that its samples have in the text, so that no two metrics write the same line.
    var sampleNames: [String] {
        switch kind {
        case .counter, .gauge: [name]
        case .histogram: [name, name + "_bucket", name + "_sum", name + "_count"]
        }
    }

    /// The word of the `TYPE` line.
    var typeName: String {
        switch kind {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }
}
