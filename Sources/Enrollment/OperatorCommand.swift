/// A `muster` command as an operator types it into a shell. Names in it came from elsewhere: none of them can be more
/// than one argument, and none can be an option.
struct OperatorCommand {
    /// What a shell takes as it stands.
    private static let plainOctets = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@:/-".utf8)

    private let verb: String
    private let argument: String?
    private var options: [String] = []

    /// - Parameters:
    ///   - verb: What to do, such as `registration add`.
    ///   - argument: What to do it to.
    init(_ verb: String, _ argument: String? = nil) {
        self.verb = verb
        self.argument = argument
    }

    /// The command with one more option.
    func option(_ name: String, _ value: String?) -> OperatorCommand {
        guard let value else { return self }
        var copy = self
        // A value that looks like an option is one, unless it hangs on its name.
        copy.options.append("--\(name)\(value.hasPrefix("-") ? "=" : " ")\(Self.quoted(value))")
        return copy
    }

    /// One line for a shell.
    var text: String {
        guard let argument else { return (["muster \(verb)"] + options).joined(separator: " ") }
        if argument.hasPrefix("-") {
            return (["muster \(verb)"] + options + ["--", Self.quoted(argument)]).joined(separator: " ")
        }
        return (["muster \(verb)", Self.quoted(argument)] + options).joined(separator: " ")
    }

    /// The text as one word of a POSIX shell, on one line.
    static func quoted(_ text: String) -> String {
        let line = text.plain(max: text.unicodeScalars.count)
        if !line.isEmpty, line.utf8.allSatisfy(plainOctets.contains) { return line }
        return "'\(line.replacing("'", with: #"'\''"#))'"
    }
}
