import TestPeers

/// Runs scripts of real programs.
enum Shell {
    /// Runs a bash script to its end; `$1`, `$2`, … are the arguments. Any command that fails ends it.
    /// - Returns: Standard output without the blanks around it.
    /// - Throws: `BadEnd` if the script failed.
    @discardableResult
    static func run(_ script: String, _ arguments: String...) async throws -> String {
        try await run(script, arguments)
    }

    /// The same with a list of arguments.
    @discardableResult
    static func run(_ script: String, _ arguments: [String]) async throws -> String {
        let result = try await Program.run("bash", ["-euo", "pipefail", "-c", script, "script"] + arguments)
        guard result.succeeded else {
            throw BadEnd(program: "bash", errorOutput: result.errorOutput + result.text.suffix(2_000))
        }
        return result.text.trimmingBlanks
    }

    /// Runs the built `muster` to its end, however it ends.
    static func muster(_ arguments: String...) async throws -> Program.Result {
        try await Program.run(MusterDev.executable("muster"), arguments)
    }
}

/// Waits for conditions.
enum Eventually {
    /// Asks again and again until `condition` holds.
    /// - Throws: `MissedCondition` if it does not within the bound.
    static func holds(
        _ what: String,
        seconds: Int = 60,
        _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw MissedCondition(what: what)
    }
}

/// What a test waited for did not come.
struct MissedCondition: Error, CustomStringConvertible {
    let what: String
    var description: String { "waited in vain: \(what)" }
}

extension String {
    /// Without blanks and newlines at both ends.
    var trimmingBlanks: String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

/// A program of a test ended badly.
struct BadEnd: Error, CustomStringConvertible {
    let program: String
    let errorOutput: String
    var description: String { "\(program): \(errorOutput)" }
}
