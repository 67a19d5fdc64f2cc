import Foundation
import Glibc
import TestPeers

/// A program that runs beside a test, with its log and its exit status. It is killed when the test lets go of it, and
/// within seconds of the test process's end.
final class BackgroundProgram: Sendable {
    let processID: Int32
    private let folder: TemporaryDirectory

    /// Starts it, in a session of its own, with the usual dispositions of signals.
    init(_ command: [String]) async throws {
        folder = try TemporaryDirectory(prefix: "mprogram")
        // By files: whoever looks for the program by its command line finds it alone, not its keeper.
        try folder.write("keeper", Self.keeper.utf8)
        let words = command.map { "'" + $0.replacing("'", with: "'\\''") + "'" }.joined(separator: " ")
        try folder.write("command", "exec env --default-signal=INT,QUIT \(words)\n".utf8)
        let starter = "setsid sh \"$0/keeper\" \"$@\" </dev/null >/dev/null 2>&1 &"
        let own = "\(ProcessInfo.processInfo.processIdentifier)"
        _ = try await Program.run("/bin/sh", ["-c", starter, folder.path, folder.path, own])
        let file = folder.path + "/pid"
        try await Eventually.holds("the start of \(command)") { FileManager.default.fileExists(atPath: file) }
        processID = Int32(try String(contentsOfFile: file, encoding: .utf8).trimmingBlanks) ?? 0
    }

    deinit { if status == nil, processID > 0 { _ = Glibc.kill(processID, SIGKILL) } }

    /// All that it wrote, on standard output and error.
    var log: String { (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? "" }

    /// Its exit status, 128 and more for a signal; nil while it runs.
    var status: Int32? {
        (try? String(contentsOfFile: folder.path + "/status", encoding: .utf8)).flatMap { Int32($0.trimmingBlanks) }
    }

    func signal(_ number: Int32) {
        if processID > 0 { _ = Glibc.kill(processID, number) }
    }

    /// Waits for its end.
    /// - Returns: The exit status; nil if it still runs after so many seconds.
    func end(withinSeconds seconds: Int) async throws -> Int32? {
        do { try await Eventually.holds("its end", seconds: seconds) { status != nil } } catch is MissedCondition {}
        return status
    }

    /// `$1` is the folder, `$2` the test process. A shell's background commands ignore SIGINT, which `env` undoes.
    private static let keeper = """
        base=$1; test=$2
        sh "$base/command" >"$base/log" 2>&1 &
        child=$!
        echo $child >"$base/pid.new"; mv "$base/pid.new" "$base/pid"
        (while kill -0 $child && kill -0 $test; do sleep 1; done; kill -0 $test || kill -KILL $child) &
        wait $child
        echo $? >"$base/status.new"; mv "$base/status.new" "$base/status"
        """
}
