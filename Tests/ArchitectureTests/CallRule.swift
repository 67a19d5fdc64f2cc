/// Calls that the house does without, each with what to write in its stead.
enum CallRule {
    struct BannedCall {
        let code: String
        let instead: String
        /// True if the executables may use it.
        var isFineInExecutables = false
    }

    static let banned = [
        BannedCall(code: "try!", instead: "use `try` and let the caller know, or handle the error here"),
        BannedCall(code: "as!", instead: "use `as?` and handle the other case, or give the value its type"),
        BannedCall(code: "fatalError(", instead: "throw an error that names what broke, or make the case unspellable"),
        BannedCall(code: "preconditionFailure(", instead: "throw an error that names what broke"),
        BannedCall(code: "print(", instead: "log through a swift-log Logger", isFineInExecutables: true),
    ]

    /// A task that no scope waits for says why, on its line or the line above, behind these words.
    static let unstructuredMark = "// Unstructured:"
    private static let unstructured = ["Task {", "Task.detached", "Task.immediate", "Task(priority", "Task(name"]

    /// Banned calls in `file`. Tests are free: their failures reach nobody's device.
    static func violations(in file: SourceFile) -> [Violation] {
        guard !file.isTest else { return [] }
        return file.lines.enumerated().flatMap { index, line in
            var found = banned.filter { call in
                holds(line.code, call.code) && !(call.isFineInExecutables && file.isExecutable)
            }.map { call in
                Violation(path: file.path, line: line.number, text: "`\(call.code)` is banned here: \(call.instead)")
            }
            let above = index > 0 ? file.lines[index - 1].text : ""
            if unstructured.contains(where: { holds(line.code, $0) }), !isMarked(line.text), !isMarked(above) {
                found.append(
                    Violation(
                        path: file.path,
                        line: line.number,
                        text: "an unstructured task: use a task group or `async let` inside a `run()`, "
                            + "or say why not in a comment that starts with `\(unstructuredMark)`"
                    )
                )
            }
            return found
        }
    }

    private static func isMarked(_ text: String) -> Bool { text.contains(unstructuredMark) }

    /// True if `code` holds `call` as a word of its own, not as the end of another name or a member.
    private static func holds(_ code: String, _ call: String) -> Bool {
        var start = code.startIndex
        while let found = code[start...].firstRange(of: call) {
            let before = code[..<found.lowerBound].last
            if before.map({ !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "." }) ?? true { return true }
            start = found.upperBound
        }
        return false
    }
}
