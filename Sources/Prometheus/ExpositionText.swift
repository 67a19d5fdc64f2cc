/// Prometheus' text exposition format 0.0.4, line by line.
struct ExpositionText {
    private(set) var text = ""

    /// The two lines before a metric's samples.
    mutating func header(_ description: MetricDescription) {
        text += "# HELP \(description.name) \(Self.escaped(help: description.help))\n"
        text += "# TYPE \(description.name) \(description.typeName)\n"
    }

    /// One sample.
    /// - Parameter labels: As `labels(_:order:)` writes them; empty if there are none.
    mutating func sample(_ name: String, labels: String, value: String) {
        text += name
        if !labels.isEmpty { text += "{" + labels + "}" }
        text += " " + value + "\n"
    }

    /// What stands between a sample's braces: those of `order` first, the others by name, each name once.
    static func labels(_ dimensions: [(String, String)], order: [String]) -> String {
        var values: [String: String] = [:]
        for (name, value) in dimensions {
            let name = labelName(name)
            // The first one holds: who adds a label later cannot change what was said before.
            if values[name] == nil { values[name] = value }
        }
        let others = values.keys.filter { !order.contains($0) }.sorted()
        return (order.filter { values[$0] != nil } + others).map { name in
            "\(name)=\"\(escaped(label: values[name] ?? ""))\""
        }.joined(separator: ",")
    }

    /// A number as Prometheus reads it.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Whole numbers without a point, as long as a Double tells them apart.
        if value.magnitude < 9_007_199_254_740_992, value == value.rounded() { return "\(Int64(value))" }
        return "\(value)"
    }

    /// A name of letters, digits and underscores, no digit in front; every other sign becomes an underscore.
    static func sanitised(_ name: String) -> String {
        var out = ""
        for scalar in name.unicodeScalars.prefix(PrometheusMetrics.nameLengthMax) {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": out.unicodeScalars.append(scalar)
            case "0"..."9":
                if out.isEmpty { out = "_" }
                out.unicodeScalars.append(scalar)
            default: out += "_"
            }
        }
        return out.isEmpty ? "_" : out
    }

    /// Sanitised, and none of the names that Prometheus keeps: `le` and those with two underscores in front.
    private static func labelName(_ name: String) -> String {
        let name = sanitised(name)
        return name == "le" || name.hasPrefix("__") ? "exported_" + name : name
    }

    private static func escaped(label value: String) -> String {
        var out = ""
        for scalar in value.unicodeScalars.prefix(PrometheusMetrics.labelValueLengthMax) {
            switch scalar {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func escaped(help text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
