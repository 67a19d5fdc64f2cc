import Synchronization

/// What must hold for every input. A property that does not hold ends the process, which is how libFuzzer learns of it
/// and keeps the input.
package enum Property {
    /// The most characters of a reason that goes to a device or into the record.
    package static let reasonLengthMax = 300
    /// So many different reasons there may be, numbers apart. One that held a stranger's words would soon be one of many;
    /// to look for the words themselves would teach libFuzzer to send the reasons.
    private static let shapesMax = 100
    private static let met = Mutex<Set<String>>([])

    /// Ends the process with `what`, a sentence that is wrong, if `holds` is false.
    package static func check(_ holds: Bool, _ what: @autoclosure () -> String) {
        guard !holds else { return }
        fatalError("property broken: \(what())")
    }

    /// What `body` gives, which never throws for what the input may be.
    package static func given<Value>(_ what: String, _ body: () throws -> Value) -> Value {
        do {
            return try body()
        } catch {
            fatalError("property broken: \(what) threw \(error)")
        }
    }

    /// A reason for a program's author: one line of ASCII, bounded, that is made of our words alone.
    package static func checkReason(_ reason: String) {
        checkLine(reason)
        let octets = Array(reason.utf8)
        check(octets.allSatisfy { (0x20...0x7E).contains($0) }, "a reason holds more than ASCII: \(reason)")
        let shape = reason.split(separator: " ").map { $0.contains(where: \.isNumber) ? "#" : $0 }.joined(
            separator: " "
        )
        let shapes = met.withLock { met in
            met.insert(shape)
            return met
        }
        check(shapes.count <= shapesMax, "reasons hold what was sent: \(shapes.sorted().suffix(20))")
    }

    /// A line that may name what a certificate says: bounded, without control characters or line breaks.
    package static func checkLine(_ line: String) {
        check(!line.isEmpty, "a reason is empty")
        check(line.unicodeScalars.count <= reasonLengthMax, "a reason has \(line.unicodeScalars.count) characters")
        for scalar in line.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                check(false, "a reason holds the character U+\(String(scalar.value, radix: 16))")
            default: break
            }
        }
    }
}
