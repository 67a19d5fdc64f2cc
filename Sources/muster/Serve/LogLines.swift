import Foundation
import Glibc
import Logging
import PKI
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
        let merged =
            metadata.isEmpty ? event.metadata ?? [:] : metadata.merging(event.metadata ?? [:]) { _, own in own }
        let fields = merged.sorted { $0.key < $1.key }
        var line: [UInt8] = []
        line.reserveCapacity(Self.lineOctetsUsual)
        switch format {
        case .json:
            line += #"{"at":""#.utf8
            LogTime.append(Date(), to: &line)
            line += #"","level":""#.utf8
            line += event.level.rawValue.utf8
            line += #"","logger":"#.utf8
            Self.quote(label, to: &line)
            line += #","message":"#.utf8
            Self.quote("\(event.message)", to: &line)
            for (key, value) in fields {
                line.append(UInt8(ascii: ","))
                Self.quote(key, to: &line)
                line.append(UInt8(ascii: ":"))
                Self.quote(Self.text(value), to: &line)
            }
            line.append(UInt8(ascii: "}"))
        case .text:
            LogTime.append(Date(), to: &line)
            line += " \(event.level.rawValue) \(event.message)".utf8
            for (key, value) in fields { line += " \(key)=\(Self.text(value))".utf8 }
        }
        line.append(UInt8(ascii: "\n"))
        LogOutput.write(line)
    }

    private static let lineOctetsUsual = 512

    private static func text(_ value: Logger.Metadata.Value) -> String {
        if case .string(let text) = value { text } else { "\(value)" }
    }

    /// A JSON string (RFC 8259 section 7).
    static func quote(_ text: String, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        // Hardly any text has what needs an escape, and text without is copied at once.
        if hasEscapes(text) {
            for octet in text.utf8 {
                if needsEscape(octet) {
                    escape(octet, to: &line)
                } else {
                    line.append(octet)
                }
            }
        } else {
            line += text.utf8
        }
        line.append(UInt8(ascii: "\""))
    }

    private static func hasEscapes(_ text: String) -> Bool {
        let octets = text.utf8.span
        // All of them are looked at, which takes less than to stop at the first.
        var found = false
        for index in octets.indices where needsEscape(octets[index]) { found = true }
        return found
    }

    /// Everything below space does, so that a value cannot start a line.
    private static func needsEscape(_ octet: UInt8) -> Bool {
        octet < 0x20 || octet == 0x7F || octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\")
    }

    private static func escape(_ octet: UInt8, to line: inout [UInt8]) {
        switch octet {
        case UInt8(ascii: "\""): line += #"\""#.utf8
        case UInt8(ascii: "\\"): line += #"\\"#.utf8
        case UInt8(ascii: "\n"): line += #"\n"#.utf8
        case UInt8(ascii: "\r"): line += #"\r"#.utf8
        case UInt8(ascii: "\t"): line += #"\t"#.utf8
        default: line += #"\u00\#(Hex.text([octet]))"#.utf8
        }
    }
}

/// The time of a line, as ISO 8601 with milliseconds. The part down to the second is made once a second.
private enum LogTime {
    private static let last = Mutex((second: Int64.min, text: [UInt8]()))

    static func append(_ date: Date, to line: inout [UInt8]) {
        let milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded(.down))
        let second = milliseconds / 1000
        let text = last.withLock { last in
            if last.second != second {
                let style = Date.ISO8601FormatStyle().year().month().day().dateSeparator(.dash).time(
                    includingFractionalSeconds: false
                )
                last = (second, Array(Date(timeIntervalSince1970: Double(second)).formatted(style).utf8))
            }
            return last.text
        }
        line += text
        let rest = Int(milliseconds - second * 1000)
        let zero = UInt8(ascii: "0")
        line += [
            UInt8(ascii: "."), zero + UInt8(rest / 100 % 10), zero + UInt8(rest / 10 % 10), zero + UInt8(rest % 10),
            UInt8(ascii: "Z"),
        ]
    }
}

/// Writes whole lines, one writer at a time.
private enum LogOutput {
    private static let turn = Mutex(())

    static func write(_ line: [UInt8]) {
        turn.withLock { _ in
            var rest = line[...]
            while !rest.isEmpty {
                let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    // Nobody reads standard error: there is no place left to say so.
                    return
                }
            }
        }
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
