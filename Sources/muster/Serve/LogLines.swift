import Foundation
import Logging
import Synchronization

/// Logs to standard error: one JSON object a line, or text for people.
struct LogLines: LogHandler {
    var metadata: Logger.Metadata = [:]
    let label: String
    let format: ServerConfiguration.Log.Format
    private let threshold: LogThreshold
    private var ownLevel: Logger.Level?

    init(label: String, format: ServerConfiguration.Log.Format, threshold: LogThreshold) {
        self.label = label
        self.format = format
        self.threshold = threshold
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? threshold.level }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let merged = metadata.merging(event.metadata ?? [:]) { _, own in own }
        let at = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let line: String
        switch format {
        case .json:
            var fields = [
                ("at", at), ("level", event.level.rawValue), ("logger", label), ("message", "\(event.message)"),
            ]
            fields += merged.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
            line = "{" + fields.map { "\(Self.quoted($0.0)):\(Self.quoted($0.1))" }.joined(separator: ",") + "}"
        case .text:
            let fields = merged.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            line = "\(at) \(event.level.rawValue) \(event.message)\(fields)"
        }
        LogOutput.write(line + "\n")
    }

    /// A JSON string (RFC 8259 section 7); everything below space is escaped, so that a value cannot start a line.
    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                out += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// Writes whole lines, one writer at a time.
private enum LogOutput {
    private static let turn = Mutex(())

    static func write(_ line: String) {
        turn.withLock { _ in FileHandle.standardError.write(Data(line.utf8)) }
    }
}

/// The least severe level that is logged by every logger that shares it; it can change while they are in use.
final class LogThreshold: Sendable {
    private let storage: Mutex<Logger.Level>

    init(_ level: Logger.Level) { storage = Mutex(level) }

    var level: Logger.Level {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}

extension Logger {
    /// The logger of a command that serves.
    init(serving format: ServerConfiguration.Log.Format, threshold: LogThreshold) {
        self.init(label: "muster") { label in LogLines(label: label, format: format, threshold: threshold) }
    }
}
