import Foundation
import Glibc
import LocalServers
import TestPeers
import Testing

@Suite(.timeLimit(.minutes(10)))
struct KilledTestRunTests {
    @Test func `a test run that is killed leaves neither servers nor folders behind`() async throws {
        let folder = try TemporaryDirectory(prefix: "kill")
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String] in
            let database = try await PostgreSQLCluster.shared.server().directory
            let broker = try await MosquittoBroker()
            try "\(database)\n\(broker.server.directory)".write(
                toFile: path + "/made",
                atomically: true,
                encoding: .utf8
            )
            kill(getpid(), SIGKILL)
        }
        let made = try String(decoding: folder.read("made"), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(made.count == 2)
        let deadline = ContinuousClock.now + .seconds(60)
        for directory in made {
            while FileManager.default.fileExists(atPath: directory), ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(!FileManager.default.fileExists(atPath: directory))
            #expect(try await Program.run("pgrep", ["-f", directory + "/"]).text == "")
        }
    }
}
