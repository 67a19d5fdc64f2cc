import Foundation
import TestPeers
import Testing

@testable import muster

/// How the commands find the server.
@Suite struct ServerProfileTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory(prefix: "mprofile") }

    private func profile(
        _ name: String,
        url: String,
        _ more: String = "certificateFile: a.pem\nkeyFile: a.key\n"
    ) throws -> String {
        try folder.write(name, "url: \(url)\ncaFile: ca.pem\n\(more)".utf8)
    }

    private func find(
        _ environment: [String: String] = [:],
        dev: String? = nil,
        profile: String? = nil
    ) throws -> ServerProfile {
        let home = ["HOME": folder.path, "XDG_CONFIG_HOME": folder.path + "/config"]
        return try ServerProfileSearch(environment: environment.merging(home) { given, _ in given })
            .find(dev: dev, profile: profile)
    }

    @Test func `options go before the environment, and that before the user's file`() throws {
        let option = try profile("option.yaml", url: "https://option:1")
        let variable = try profile("variable.yaml", url: "https://variable:1/")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/config/muster",
            withIntermediateDirectories: true
        )
        _ = try profile("config/muster/profile.yaml", url: "https://home:1")
        #expect(try find(["MUSTER_CLIENT_PROFILE": variable], profile: option).url == "https://option:1")
        #expect(try find(["MUSTER_CLIENT_PROFILE": variable]).url == "https://variable:1")
        #expect(try find(["MUSTER_CLIENT_PROFILE": ""]).url == "https://home:1")
    }

    @Test func `files of a profile lie beside it`() throws {
        let found = try find(profile: profile("p.yaml", url: "https://x:1"))
        #expect(found.caFile == folder.path + "/ca.pem")
        #expect(
            found.credential == .certificate(certificateFile: folder.path + "/a.pem", keyFile: folder.path + "/a.key")
        )
        let token = try find(profile: profile("t.yaml", url: "https://x:1", "tokenFile: /etc/token\n"))
        #expect(token.credential == .token(file: "/etc/token"))
    }

    @Test func `a dev.json is found by its folder too`() throws {
        let text = """
            {"urls":{"operator":"https://localhost:9"},"files":{"root":"/r","operatorCert":"/c","operatorKey":"/k"}}
            """
        let file = try folder.write("dev.json", text.utf8)
        for path in [file, folder.path] {
            let found = try find(dev: path)
            #expect(found.url == "https://localhost:9")
            #expect(found.credential == .certificate(certificateFile: "/c", keyFile: "/k"))
        }
        #expect(try find(["MUSTER_CLIENT_DEV": folder.path]).caFile == "/r")
    }

    @Test(arguments: [
        ("https://x", "certificateFile: a\n", "keyFile"), ("https://x", "", "tokenFile"),
        ("https://x", "tokenFile: t\ncertificateFile: a\nkeyFile: b\n", "tokenFile alone"),
        ("http://x", "tokenFile: t\n", "https://"), ("https://x", "tokenfile: t\n", "unknown key tokenfile"),
        ("https://x", "tokenFile: [\n", "not YAML"),
    ])
    func `a profile that cannot be used is refused with what is wrong`(url: String, more: String, words: String) throws
    {
        let file = try profile("bad.yaml", url: url, more)
        let failure = #expect(throws: CommandFailure.self) { try find(profile: file) }
        #expect(failure?.description.contains(words) == true, "\(failure?.description ?? "")")
        #expect(failure?.description.contains("bad.yaml") == true)
    }

    @Test func `if no server is named, all ways of naming one are`() throws {
        let failure = #expect(throws: CommandFailure.self) { try find() }
        #expect(failure?.status == .usage)
        for way in ["--dev", "--profile", "MUSTER_CLIENT_URL", "config/muster/profile.yaml"] {
            #expect(failure?.hint?.contains(way) == true)
        }
        #expect(throws: CommandFailure.self) { try find(dev: "a", profile: "b") }
        #expect(throws: CommandFailure.self) { try find(profile: folder.path + "/none") }
    }
}
