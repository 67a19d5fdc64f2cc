import Subprocess
import SystemPackage

/// Runs a program to its end, as the server's user, away from the terminal.
enum ServerProgram {
    /// What a program left.
    struct Outcome: Sendable {
        let succeeded: Bool
        let output: String
        let errorOutput: String

        /// What it said, for the text of an error.
        var detail: String {
            let text = (errorOutput + output).trimmingPrefix { $0.isWhitespace }
            return text.isEmpty ? "no output" : String(text.suffix(ServerProgram.detailCharacters))
        }
    }

    /// Runs `path` in a session of its own, so that Ctrl-C in a terminal reaches only who started us, who then stops
    /// its servers in order. No parent-death signal: it would fire when the starting *thread* ends, and Swift's
    /// threads come and go.
    static func run(
        _ path: String,
        _ arguments: [String],
        as user: ServerUser,
        input: String = ""
    ) async throws(LocalServerError) -> Outcome {
        var options = PlatformOptions()
        options.createSession = true
        var command = [path] + arguments
        if user.mustChange {
            // By setpriv rather than by the library's own user options: those change the user in a raw clone of this
            // process, where a lock that another thread held at that moment stays locked for ever.
            command =
                ["setpriv", "--reuid=\(user.userID)", "--regid=\(user.groupID)", "--clear-groups", "--"] + command
        }
        do {
            let result = try await Subprocess.run(
                command[0].hasPrefix("/") ? .path(FilePath(command[0])) : .name(command[0]),
                arguments: Arguments(Array(command.dropFirst())),
                // Nothing of the caller's locale or PG* settings decides how a private server behaves.
                environment: .custom(["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"]),
                workingDirectory: "/",
                platformOptions: options,
                input: .string(input),
                output: .string(limit: outputBytesMax),
                error: .string(limit: outputBytesMax)
            )
            return Outcome(
                succeeded: result.terminationStatus.isSuccess,
                output: result.standardOutput,
                errorOutput: result.standardError
            )
        } catch {
            throw .failed(action: "run \(path)", detail: "\(error)")
        }
    }

    private static let outputBytesMax = 4 << 20
    private static let detailCharacters = 2000
}
