import Agent
import Foundation
import TestPeers
import Testing

/// Telling a program to read its files.
@Suite struct ProgramTerminatorTests {
    private static func run(_ command: [String], timeout: Duration = .seconds(30)) async throws -> TemporaryDirectory {
        let folder = try TemporaryDirectory(prefix: "reload")
        let terminator = ProgramTerminator(
            .command(command.map { $0.replacing("FOLDER", with: folder.path) }, timeout: timeout),
            logFile: folder.path + "/log"
        )
        try await terminator.reload()
        return folder
    }

    @Test func `a command gets its arguments as they are, without a shell`() async throws {
        let folder = try await Self.run(["touch", "FOLDER/a b; c"])
        #expect(FileManager.default.fileExists(atPath: folder.path + "/a b; c"))
    }

    @Test func `a command that fails is told with its words, one that is not there by its name`() async throws {
        let failed = await #expect(throws: (any Error).self) {
            _ = try await Self.run(["sh", "-c", "echo no such key >&2; exit 3"])
        }
        #expect("\(try #require(failed))".contains("no such key"))
        await #expect(throws: (any Error).self) { _ = try await Self.run(["/nowhere/at/all"]) }
    }

    @Test func `what a command leaves running does not hold the agent`() async throws {
        let folder = try await Self.run(["sh", "-c", "sleep 120 & echo $! > FOLDER/pid"])
        let process = String(decoding: try folder.read("pid"), as: UTF8.self).split(separator: "\n")[0]
        #expect(try await Program.run("kill", [String(process)]).succeeded)
    }

    @Test func `a command that does not end is stopped`() async throws {
        let error = await #expect(throws: (any Error).self) {
            _ = try await Self.run(["sleep", "600"], timeout: .milliseconds(100))
        }
        #expect("\(try #require(error))".contains("did not end"))
    }

    @Test func `a pid file that names no Mosquitto gets no signal`() async throws {
        let folder = try TemporaryDirectory(prefix: "reload")
        let own = ProcessInfo.processInfo.processIdentifier
        for (text, words) in [("\(own)", "is no Mosquitto"), ("", "holds no process"), ("1", "holds no process")] {
            let file = try folder.write("pid", text.utf8)
            let terminator = ProgramTerminator(.mosquitto(pidFile: file), logFile: folder.path + "/log")
            let error = await #expect(throws: (any Error).self) { try await terminator.reload() }
            #expect("\(try #require(error))".contains(words))
        }
    }
}
