/// A small PKI by the openssl program: a root, and certificates for a broker and for clients by common name.
package final class TestPKI: Sendable {
    /// A certificate chain and its key, PEM.
    package struct Credential: Sendable {
        /// The certificate; the root is not in it.
        package let certificate: [UInt8]
        package let key: [UInt8]
        /// The same as files, for programs.
        package let certificateFile: String
        package let keyFile: String
    }

    /// The root's certificate, PEM.
    package let root: [UInt8]
    /// The same as a file.
    package let rootFile: String
    private let folder: TemporaryDirectory

    /// The folder of its files.
    var directory: String { folder.path }

    /// Makes a root, EC P-256.
    package init(rootName: String = "Test Root") async throws {
        folder = try TemporaryDirectory(prefix: "mpki")
        rootFile = folder.path + "/root.pem"
        try await Self.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=\(rootName)", "-keyout", folder.path + "/root.key", "-out", rootFile,
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ])
        root = try folder.read("root.pem")
    }

    /// A server certificate for localhost and 127.0.0.1, or for other names (`DNS:…`, `IP:…`).
    package func server(names: [String] = ["DNS:localhost", "IP:127.0.0.1"]) async throws -> Credential {
        try await issue(
            commonName: "broker",
            extensions: ["extendedKeyUsage=serverAuth", "subjectAltName=\(names.joined(separator: ","))"]
        )
    }

    /// A client certificate of that common name.
    package func client(_ commonName: String) async throws -> Credential {
        try await issue(commonName: commonName, extensions: ["extendedKeyUsage=clientAuth"])
    }

    private func issue(commonName: String, extensions: [String]) async throws -> Credential {
        let name = "c\(UInt32.random(in: 0 ... .max))"
        let base = folder.path + "/" + name
        try await Self.openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(commonName)",
            "-keyout", base + ".key", "-out", base + ".csr",
        ])
        let usage = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature"]
        try folder.write(name + ".ext", (usage + extensions).joined(separator: "\n").utf8)
        try await Self.openssl([
            "x509", "-req", "-in", base + ".csr", "-CA", rootFile, "-CAkey", folder.path + "/root.key", "-days", "1",
            "-set_serial", "\(UInt32.random(in: 1 ... .max))", "-extfile", base + ".ext", "-out", base + ".pem",
        ])
        return try Credential(
            certificate: folder.read(name + ".pem"),
            key: folder.read(name + ".key"),
            certificateFile: base + ".pem",
            keyFile: base + ".key"
        )
    }

    private static func openssl(_ arguments: [String]) async throws {
        let result = try await Program.run("openssl", arguments)
        guard result.succeeded else { throw ProgramFailure(program: "openssl", errorOutput: result.errorOutput) }
    }
}

/// A program of a test ended badly.
package struct ProgramFailure: Error, CustomStringConvertible {
    package let program: String
    package let errorOutput: String

    package var description: String { "\(program): \(errorOutput)" }
}
