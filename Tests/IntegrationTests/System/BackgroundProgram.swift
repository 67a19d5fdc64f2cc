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
        let starter = "setsid sh -c \"$0\" \"$@\" </dev/null >/dev/null 2>&1 &"
        let own = "\(ProcessInfo.processInfo.processIdentifier)"
        _ = try await Program.run("/bin/sh", ["-c", starter, Self.keeper, folder.path, own] + command)
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

    /// `$0` is the folder, `$1` the test process, the rest the command. A shell's background commands ignore SIGINT, which
    /// `env` undoes.
    private static let keeper = """
        base=$0; test=$1; shift
        env --default-signal=INT,QUIT "$@" >"$base/log" 2>&1 &
        child=$!
        echo $child >"$base/pid.new"; mv "$base/pid.new" "$base/pid"
        (while kill -0 $child && kill -0 $test; do sleep 1; done; kill -0 $test || kill -KILL $child) &
        wait $child
        echo $? >"$base/status.new"; mv "$base/status.new" "$base/status"
        """
}
