import OpenSSL
import TestPeers

/// A root, an intermediate CA and a signer below it, made by the openssl program; and a root that has no part in it.
struct CMSFixture: Sendable {
    let folder: TemporaryDirectory
    let key: PrivateKey
    let root: [UInt8]
    let intermediate: [UInt8]
    let signer: [UInt8]
    let otherRoot: [UInt8]
    /// The root and the other root as PEM files.
    let rootFile: String
    let otherRootFile: String

    /// - Parameter key: The signer's; made by `algorithm` if it is not given.
    init(algorithm: KeyAlgorithm = .ecdsaP256) async throws {
        try await self.init(key: PrivateKey.generate(algorithm))
        try folder.write("signer.key", key.pem(passphrase: nil))
    }

    init(key: PrivateKey) async throws {
        let folder = try TemporaryDirectory(prefix: "cms")
        (self.folder, self.key) = (folder, key)
        for name in ["root", "other"] {
            try await OpenSSLProgram.run([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", "/CN=\(name)", "-keyout", "\(folder.path)/\(name).key", "-out", "\(folder.path)/\(name).pem",
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign",
            ])
        }
        try folder.write("ca.key", PrivateKey.generate(.ecdsaP384).pem(passphrase: nil))
        try await OpenSSLProgram.run([
            "req", "-new", "-key", folder.path + "/ca.key", "-subj", "/CN=intermediate", "-out",
            folder.path + "/ca.csr",
        ])
        try folder.write("ca.ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n".utf8)
        try await Self.issue("ca", by: "root", in: folder)
        // The request is another key's: the certificate is for the public key that is forced into it.
        try folder.write("signer.der", key.subjectPublicKeyInfo)
        try await OpenSSLProgram.run([
            "pkey", "-pubin", "-inform", "DER", "-in", folder.path + "/signer.der", "-out", folder.path + "/signer.pub",
        ])
        try await OpenSSLProgram.run([
            "req", "-new", "-key", folder.path + "/ca.key", "-subj", "/CN=signer", "-out", folder.path + "/signer.csr",
        ])
        try folder.write("signer.ext", "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n".utf8)
        try await Self.issue("signer", by: "ca", in: folder, publicKey: folder.path + "/signer.pub")
        rootFile = folder.path + "/root.pem"
        otherRootFile = folder.path + "/other.pem"
        root = try await Self.der(rootFile)
        otherRoot = try await Self.der(otherRootFile)
        intermediate = try await Self.der(folder.path + "/ca.pem")
        signer = try await Self.der(folder.path + "/signer.pem")
    }

    /// What `openssl cms -verify` gives with `root` alone: the content, or nil where it refuses.
    func content(of message: [UInt8], rootFile: String) async throws -> [UInt8]? {
        let path = try folder.write("message-\(UInt32.random(in: 0 ... .max)).der", message)
        let result = try await Program.run(
            "openssl",
            [
                "cms", "-verify", "-inform", "DER", "-in", path, "-purpose", "any", "-binary", "-no-CApath",
                "-no-CAstore",
                "-CAfile", rootFile,
            ]
        )
        return result.succeeded ? result.output : nil
    }

    /// What `openssl cms -sign` makes of `content` with the signer's key, and more options.
    func signedByOpenSSL(
        _ content: [UInt8],
        _ options: [String] = ["-nodetach", "-md", "sha256"]
    ) async throws -> [UInt8] {
        try await OpenSSLProgram.run(
            [
                "cms", "-sign", "-binary", "-outform", "DER", "-signer", folder.path + "/signer.pem", "-inkey",
                folder.path + "/signer.key", "-certfile", folder.path + "/ca.pem",
            ] + options,
            input: content
        )
    }

    private static func issue(
        _ name: String,
        by issuer: String,
        in folder: TemporaryDirectory,
        publicKey: String? = nil
    ) async throws {
        let base = folder.path + "/"
        let forced = publicKey.map { ["-force_pubkey", $0] } ?? []
        try await OpenSSLProgram.run(
            [
                "x509", "-req", "-in", base + name + ".csr", "-CA", base + issuer + ".pem", "-CAkey",
                base + issuer + ".key", "-days", "20", "-set_serial", "\(UInt32.random(in: 1 ... .max))", "-extfile",
                base + name + ".ext", "-out", base + name + ".pem",
            ] + forced
        )
    }

    private static func der(_ path: String) async throws -> [UInt8] {
        try await OpenSSLProgram.run(["x509", "-in", path, "-outform", "DER"])
    }
}
