import Foundation
import Glibc

/// A running `muster dev` of the built executable, in a temporary folder, on free ports: the whole as its users meet it.
/// It ends with the test process, however that ends.
package actor MusterDev {
    /// How long it may take to be ready, and to end.
    package static let readySecondsMax = 180
    package static let endSecondsMax = 120
    /// How often it is started anew if a port of its was taken before it could have it.
    private static let attemptsMax = 4

    /// What `dev.json` says.
    package struct Document: Decodable, Sendable {
        package struct URLs: Decodable, Sendable {
            package let est: String
            package let `public`: String
            package let `operator`: String
            package let metrics: String
        }

        package struct Broker: Decodable, Sendable {
            package let host: String
            package let port: Int
        }

        package struct Files: Decodable, Sendable {
            package let root: String
            package let issuer: String
            package let claimCert: String
            package let claimKey: String
            package let manufacturerCert: String
            package let manufacturerKey: String
            package let operatorCert: String
            package let operatorKey: String
        }

        package let pid: Int32
        package let urls: URLs
        package let mqtt: Broker
        package let database: String
        package let fleet: String
        package let files: Files
    }

    /// One `muster dev` for all tests that leave it running.
    package static let shared = SharedMusterDev()

    /// The folder of its state.
    package nonisolated let state: String
    private let folder: TemporaryDirectory
    private let watchdog: Watchdog
    private var process: Int32?

    /// Nothing is started yet.
    package init() throws {
        folder = try TemporaryDirectory(prefix: "mdev")
        // PostgreSQL's and Mosquitto's users must be able to pass.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        state = folder.path + "/s"
        watchdog = try Watchdog(script: Self.cleanUp, arguments: [folder.path])
    }

    deinit { watchdog.release() }

    /// The built executable of that product: `MUSTER_BIN` names its folder, else it lies beside the tests.
    package static func executable(_ name: String) throws -> String {
        if let folder = ProcessInfo.processInfo.environment["MUSTER_BIN"] { return folder + "/" + name }
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var folder = own.deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = folder.appendingPathComponent(name).path
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        throw MusterDevError("the executable \(name) is not built; run: swift build, or set MUSTER_BIN to its folder")
    }

    /// Starts it and waits until it is ready.
    @discardableResult
    package func start(_ options: [String] = []) async throws -> Document {
        for _ in 1..<Self.attemptsMax {
            let said = logText.count
            do { return try await startOnce(options) } catch let error as MusterDevError {
                // Its ports were free when it asked for them; it may have one twice, or another program has it now.
                guard !isRunning, logText.dropFirst(said).contains("in use") else { throw error }
            }
        }
        return try await startOnce(options)
    }

    private func startOnce(_ options: [String]) async throws -> Document {
        let command = try [Self.executable("muster"), "dev", "--state", state, "--port-base", "0"] + options
        let script = "exec setsid \"$@\" >>\"$0\" 2>&1 & echo $!"
        let started = try await Program.run("/bin/sh", ["-c", script, log] + command)
        process = Int32(started.text.trimmingCharacters(in: .whitespacesAndNewlines))
        for _ in 0..<(Self.readySecondsMax * 20) {
            if let document = try? document(), document.pid == process { return document }
            guard isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw MusterDevError("muster dev was not ready; its log:\n\(logText.suffix(4_000))")
    }

    /// What it wrote for tools, now.
    package func document() throws -> Document {
        let data = try Data(contentsOf: URL(fileURLWithPath: state + "/dev.json"))
        return try JSONDecoder().decode(Document.self, from: data)
    }

    /// All that it logged.
    package nonisolated var logText: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    private nonisolated var log: String { folder.path + "/log" }

    package var isRunning: Bool { process.map { Glibc.kill($0, 0) == 0 } ?? false }

    /// Sends a signal to it alone.
    package func signal(_ number: Int32) {
        if let process { _ = Glibc.kill(process, number) }
    }

    /// Waits until it has ended. False if it lives on after the bound.
    package func waitForEnd() async throws -> Bool {
        for _ in 0..<(Self.endSecondsMax * 20) {
            if !isRunning { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    /// Ends it in order.
    package func stop() async throws {
        signal(SIGTERM)
        guard try await waitForEnd() else { throw MusterDevError("muster dev lives on after SIGTERM") }
        process = nil
    }

    /// The processes whose command line names its folder: it, PostgreSQL, Mosquitto.
    package nonisolated func processes() async throws -> [Int32] {
        let found = try await Program.run("pgrep", ["-f", state + "(/| |$)"])
        return found.text.split(separator: "\n").compactMap { Int32($0) }
    }

    private static let cleanUp = """
        for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            pkill -KILL -f "muster dev --state $1/s"
            pid=$(head -n 1 "$1/s/postgres/data/postmaster.pid" 2>/dev/null)
            if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$1/s/postgres/data" ]; then kill -QUIT "$pid"
            elif pkill -KILL -f "$1/s/mosquitto"; then :
            elif ! pgrep -f "$1/s" | grep -qv "^$$\\$" ; then break
            fi
            sleep 0.2
        done
        rm -rf "$1"
        """
}

/// A `muster dev` of a test process, started by the first test that asks.
package actor SharedMusterDev {
    private var started: Task<(MusterDev, MusterDev.Document), any Error>?

    /// One more, for tests that spoil what it runs on.
    package init() {}

    /// It and where everything is.
    package func running() async throws -> (dev: MusterDev, document: MusterDev.Document) {
        if let started { return try await started.value }
        // Unstructured: the server is shared by all tests, and no one of them is its parent.
        let task = Task {
            let dev = try MusterDev()
            return (dev, try await dev.start())
        }
        started = task
        return try await task.value
    }
}

/// What kept `muster dev` from a test.
package struct MusterDevError: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
