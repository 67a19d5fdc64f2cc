package import Subprocess
import SystemPackage

/// Runs a real program to its end, for tests whose peers are real.
package enum Program {
    /// The most output of one program that a test keeps, in bytes.
    package static let outputBytesMax = 16 << 20

    /// What a finished program left: exit status, standard output and standard error.
    package struct Result: Sendable {
        package let status: TerminationStatus
        package let output: [UInt8]
        package let errorOutput: String

        /// True if it exited with status 0.
        package var succeeded: Bool { status.isSuccess }
        /// The exit status; nil if a signal ended it.
        package var exitStatus: Int32? {
            if case .exited(let code) = status { code } else { nil }
        }
        /// Standard output as text.
        package var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// Runs `name` (found on PATH, or an absolute path) and waits for its end.
    /// - Parameters:
    ///   - arguments: Its arguments, as they are; no shell comes between.
    ///   - input: What it reads from standard input.
    ///   - environment: Variables set beside the inherited ones.
    package static func run(
        _ name: String,
        _ arguments: [String] = [],
        input: [UInt8] = [],
        environment: [String: String] = [:],
        workingDirectory: String? = nil
    ) async throws -> Result {
        var updates: [Environment.Key: String?] = [:]
        for (key, value) in environment {
            updates[Environment.Key(stringLiteral: key)] = value
        }
        let result = try await Subprocess.run(
            name.hasPrefix("/") ? .path(FilePath(name)) : .name(name),
            arguments: Arguments(arguments),
            environment: .inherit.updating(updates),
            workingDirectory: workingDirectory.map { FilePath($0) },
            input: .array(input),
            output: .bytes(limit: outputBytesMax),
            error: .string(limit: outputBytesMax)
        )
        return Result(
            status: result.terminationStatus,
            output: result.standardOutput,
            errorOutput: result.standardError
        )
    }
}
