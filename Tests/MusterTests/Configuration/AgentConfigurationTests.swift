import Agent
import Foundation
import PKI
import TestPeers
import Testing

@testable import muster

/// `agent.yaml`: what is taken, and the words for what is not.
struct AgentConfigurationTests {
    private static let least = """
        fleet: demo
        anchorFile: root.pem
        output: out
        public:
          url: http://pki.example.com/

        """

    private static func read(_ text: String) throws -> AgentConfiguration {
        let folder = try TemporaryDirectory(prefix: "agentyaml")
        return try AgentConfiguration(file: folder.write("agent.yaml", text.utf8))
    }

    @Test func `the least that is needed is taken, with paths beside the file`() throws {
        let folder = try TemporaryDirectory(prefix: "agentyaml")
        let read = try AgentConfiguration(file: folder.write("agent.yaml", Self.least.utf8))
        #expect(read.url == "http://pki.example.com")
        #expect(read.anchorFile == folder.path + "/root.pem" && read.output == folder.path + "/out")
        #expect(read.poll == .seconds(5) && read.reload == .none && read.broker == nil && !read.endsSessions)
    }

    @Test func `the example is right, also with its marks taken off`() throws {
        #expect(try Self.read(AgentConfiguration.example).fleet.text == "demo")
        // Prose has a blank behind its mark; keys have none, or two.
        let whole = AgentConfiguration.example.split(separator: "\n").map { line -> String in
            let trimmed = line.drop { $0 == " " }
            guard trimmed.first == "#", !trimmed.hasPrefix("# ") || trimmed.hasPrefix("#  ") else {
                return String(line)
            }
            return trimmed.hasPrefix("#pidFile") ? "" : line.prefix { $0 == " " } + String(trimmed.dropFirst())
        }.joined(separator: "\n")
        let read = try Self.read(whole)
        #expect(read.endsSessions && read.broker?.port == 8883 && read.listFiles.count == 1)
        #expect(read.reload == .command(["nginx", "-s", "reload"], timeout: .seconds(30)))
    }

    @Test(arguments: [
        ("fleet: demo", "fleet: A", "fleet must be a fleet's name"),
        ("fleet: demo\n", "", "fleet is missing"),
        ("output: out", "output: 7", "output must be text"),
        ("http:", "ftp:", "public.url must be the URL"),
        ("/\n", "/\n  pollSeconds: 0\n", "public.pollSeconds must be a whole number from 1 to 3600"),
        ("/\n", "/\nrelod: {}\n", "relod is not known here"),
        ("/\n", "/\nreload: {command: []}\n", "reload.command is empty"),
        ("/\n", "/\nreload: {command: [a], pidFile: b}\n", "not both"),
        ("/\n", "/\nmosquitto: {endSessions: true}\n", "needs the section `broker`"),
        ("/\n", "/\nlog: {level: loud}\n", "log.level is trace"),
        ("/\n", "/\nfleet: demo\n", "fleet stands twice"),
        ("/\n", "/\n  - x\n", "not YAML"),
    ])
    func `what is wrong is told with its place`(old: String, new: String, words: String) throws {
        let text = Self.least.replacing(old, with: new)
        let error = #expect(throws: (any Error).self) { try Self.read(text) }
        #expect("\(try #require(error))".contains(words), "\(String(describing: error))")
    }
}
