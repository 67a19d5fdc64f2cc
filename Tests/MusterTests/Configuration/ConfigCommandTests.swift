import ArgumentParser
import Foundation
import Testing

@testable import muster

/// `muster config check`, and the commands' own shape.
@Suite struct ConfigCommandTests {
    private func check(_ folder: ConfigurationFolder) throws(ConfigurationProblems) -> String {
        try ConfigurationCheck.check(file: folder.file, environment: [:], overrides: [])
    }

    @Test func `a check of a right configuration with its files is one line`() throws {
        let folder = try ConfigurationFolder(leastYAML)
        for name in ["est.pem", "issuing-1.pem", "signer.pem"] { try folder.write(name, mode: 0o644) }
        for name in ["est.key", "signer.key"] { try folder.write(name, mode: 0o600) }
        try folder.write("real.key", mode: 0o400)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/issuing-1.key",
            withDestinationPath: "\(folder.path)/real.key"
        )
        let summary = try check(folder)
        #expect(
            summary
                == "\(folder.file): good; devices on 0.0.0.0:8443, public on 0.0.0.0:8080, issuers issuing-1, broker none"
        )
    }

    @Test func `a check tells each file that is missing, empty, a folder or open to others, with its line`() throws {
        let folder = try ConfigurationFolder(leastYAML)
        try folder.write("est.pem", "", mode: 0o644)
        try folder.write("est.key", mode: 0o640)
        try folder.write("issuing-1.pem", mode: 0o644)
        try folder.write("signer.pem", mode: 0o644)
        try folder.write("signer.key", mode: 0o604)
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/issuing-1.key",
            withIntermediateDirectories: false
        )
        do {
            _ = try check(folder)
            Issue.record("the check found nothing")
        } catch {
            #expect(
                folder.lines(error) == [
                    "muster.yaml:4:3: est.certificateFile: est.pem is empty",
                    "muster.yaml:5:3: est.keyFile: est.key has mode 0640, so that others than its owner get at it; chmod 600 it",
                    "muster.yaml:9:5: issuers.0.keyFile: issuing-1.key is not a file",
                    "muster.yaml:12:3: trustStore.signerKeyFile: signer.key has mode 0604, so that others than its owner get at it; chmod 600 it",
                ]
            )
        }
        try FileManager.default.removeItem(atPath: "\(folder.path)/signer.pem")
        #expect(throws: ConfigurationProblems.self) { try check(folder) }
    }

    @Test func `a check looks at every file that any key names`() throws {
        let text = ServerConfiguration.exampleYAML.split(separator: "\n").map {
            String($0).replacing(/^( *)#(?=\w|- \w)/, with: { $0.output.1 })
        }
        let configuration = try ConfigurationFolder(text.joined(separator: "\n")).load()
        let keys = ConfigurationKeys.all.map { ConfigurationName.name($0.name, index: 0) }.filter {
            $0.hasSuffix("File")
        }
        #expect(Set(configuration.namedFiles.map(\.key)) == Set(keys))
        let secret = configuration.namedFiles.filter(\.isSecret).map(\.key)
        #expect(secret.allSatisfy { !$0.hasSuffix("ertificateFile") && $0 != "mqtt.caFile" })
        #expect(secret.count == 11)
    }

    @Test func `the commands are config example and config check, with exit status 1 for a wrong file`() throws {
        #expect(try ConfigCommand.parseAsRoot(["example"]) is ConfigExampleCommand)
        let folder = try ConfigurationFolder("zebra: 1\n")
        var command = try ConfigCommand.parseAsRoot(["check", folder.file, "--set", "log.level=info"])
        #expect(command is ConfigCheckCommand)
        #expect(throws: ExitCode(1)) { try command.run() }
        let options = try ConfigurationOptions.parse(["--config", "a.yaml", "--set", "a=b", "--set", "c=d=e"])
        #expect(options.file == "a.yaml")
        #expect(options.overrides == ["a=b", "c=d=e"])
    }
}
