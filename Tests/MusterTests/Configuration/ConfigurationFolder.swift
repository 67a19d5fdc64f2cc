import Foundation

@testable import muster

/// A temporary folder with a `muster.yaml` in it, removed with its last reference.
final class ConfigurationFolder: Sendable {
    let path: String

    init(_ yaml: String) throws {
        path = FileManager.default.temporaryDirectory.path + "/muster-configuration-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data(yaml.utf8).write(to: URL(fileURLWithPath: file))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var file: String { path + "/muster.yaml" }

    func write(_ name: String, _ text: String = "text", mode: Int) throws {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    }

    func load(_ environment: [String: String] = [:], _ overrides: [String] = []) throws -> ServerConfiguration {
        try ServerConfiguration.load(file: file, environment: environment, overrides: overrides)
    }

    /// The lines that a user would see, with the folder's path taken off.
    func problems(_ environment: [String: String] = [:], _ overrides: [String] = []) -> [String] {
        do {
            _ = try ServerConfiguration.load(file: file, environment: environment, overrides: overrides)
            return []
        } catch {
            return lines(error)
        }
    }

    func lines(_ problems: ConfigurationProblems) -> [String] {
        problems.description.replacing(path + "/", with: "").split(separator: "\n").map(String.init)
    }
}

/// The least that a server needs: 12 lines.
let leastYAML = """
    database:
      url: postgresql://muster@db.example/muster
    est:
      certificateFile: est.pem
      keyFile: est.key
    issuers:
      - name: issuing-1
        certificateFile: issuing-1.pem
        keyFile: issuing-1.key
    trustStore:
      signerCertificateFile: signer.pem
      signerKeyFile: signer.key

    """

/// `leastYAML` with one line changed, or with lines added at its end.
func yaml(_ old: String = "", _ new: String = "", adding more: String = "") -> String {
    (old.isEmpty ? leastYAML : leastYAML.replacing(old, with: new)) + more
}
