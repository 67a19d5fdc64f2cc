import TestPeers

/// The openssl program: the peer of these tests.
enum OpenSSLProgram {
    /// A run that had to succeed and did not.
    struct Failure: Error, CustomStringConvertible {
        let arguments: [String]
        let output: String
        var description: String { "openssl \(arguments.joined(separator: " ")): \(output)" }
    }

    /// Runs it, and gives what it wrote; fails if it does.
    @discardableResult
    static func run(_ arguments: [String], input: [UInt8] = []) async throws -> [UInt8] {
        let result = try await Program.run("openssl", arguments, input: input)
        guard result.succeeded else { throw Failure(arguments: arguments, output: result.errorOutput) }
        return result.output
    }

    /// True if it ends well.
    static func accepts(_ arguments: [String], input: [UInt8] = []) async throws -> Bool {
        try await Program.run("openssl", arguments, input: input).succeeded
    }

    /// True if it takes `signature` as one over `message` by the key whose SubjectPublicKeyInfo is `publicKey`.
    static func verifies(
        signature: [UInt8],
        message: [UInt8],
        publicKey: [UInt8],
        digest: String?
    ) async throws -> Bool {
        let folder = try TemporaryDirectory()
        let (key, signed) = (try folder.write("public.der", publicKey), try folder.write("message", message))
        let seal = try folder.write("signature", signature)
        let hashing = digest.map { ["-digest", $0] } ?? []
        return try await accepts(
            [
                "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", key, "-keyform", "DER", "-in", signed, "-sigfile",
                seal,
            ]
                + hashing
        )
    }
}
