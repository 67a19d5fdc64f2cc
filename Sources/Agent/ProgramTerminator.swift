import Foundation
import Glibc
import Subprocess
import SystemPackage

/// The program whose files are kept, told by a command or a signal.
package struct ProgramTerminator: Terminator {
    /// How it is told to read its files.
    package enum Reload: Hashable, Sendable {
        /// A program and its arguments.
        case command([String], timeout: Duration)
        /// SIGHUP to the Mosquitto of that pid file.
        case mosquitto(pidFile: String)
        /// It watches its files by itself.
        case none
    }

    private let how: Reload
    private let logFile: String
    private let sessions: @Sendable ([String]) async throws -> Void

    /// - Parameters:
    ///   - logFile: Where the command's output goes.
    ///   - endingSessions: Ends clients' sessions; does nothing where there are none.
    package init(
        _ how: Reload,
        logFile: String,
        endingSessions: @escaping @Sendable ([String]) async throws -> Void = { _ in }
    ) {
        self.how = how
        self.logFile = logFile
        sessions = endingSessions
    }

    package func reload() async throws {
        switch how {
        case .command(let command, let timeout): try await run(command, timeout: timeout)
        case .mosquitto(let pidFile): try Self.hangUp(pidFile)
        case .none: break
        }
    }

    package func endSessions(of clients: [String]) async throws { try await sessions(clients) }

    /// Runs it to its end. Its output goes to a file: whatever it leaves running would hold a pipe.
    private func run(_ command: [String], timeout: Duration) async throws {
        let output = try FileDescriptor.open(
            FilePath(logFile),
            .writeOnly,
            options: [.create, .truncate, .closeOnExec],
            permissions: .ownerReadWrite
        )
        defer { try? output.close() }
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
        let name = command[0]
        let arguments = Arguments(Array(command.dropFirst()))
        let status = try await withThrowingTaskGroup(of: TerminationStatus?.self) { group in
            group.addTask { [options] in
                try await Subprocess.run(
                    name.contains("/") ? .path(FilePath(name)) : .name(name),
                    arguments: arguments,
                    platformOptions: options,
                    input: .none,
                    output: .fileDescriptor(output, closeAfterSpawningProcess: false),
                    error: .fileDescriptor(output, closeAfterSpawningProcess: false)
                ).terminationStatus
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        guard let status else { throw TerminatorFault("`\(name)` did not end within \(timeout) and was stopped") }
        guard status.isSuccess else {
            let said = FileManager.default.contents(atPath: logFile).map {
                String(decoding: $0.suffix(500), as: UTF8.self)
            }
            throw TerminatorFault("`\(name)` ended with \(status): \(said ?? "")")
        }
    }

    /// Mosquitto reads its CRLs again before it looks at any message that comes after the signal.
    private static func hangUp(_ pidFile: String) throws {
        guard let text = try? String(contentsOfFile: pidFile, encoding: .utf8),
            let process = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)), process > 1
        else { throw TerminatorFault("\(pidFile) holds no process' id; does Mosquitto run, and has it `pid_file`?") }
        // The file may be of a broker that has died; its id may be another program's now.
        let name = try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)
        guard name?.hasPrefix("mosquitto") == true else {
            throw TerminatorFault("the process \(process) of \(pidFile) is no Mosquitto")
        }
        guard kill(process, SIGHUP) == 0 else {
            throw TerminatorFault(
                "Mosquitto (process \(process)) takes no signal from this user; run the agent as its user"
            )
        }
    }
}

/// The terminator could not be told.
struct TerminatorFault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
