import Foundation
import OpenSSL
import TestPeers
import Testing

/// Keys that stay in a token (SoftHSM) and sign from there.
@Suite struct PKCS11Tests {
    private static let message = Array("what is signed".utf8)

    @Test(arguments: [
        (SoftToken.ecdsaP256, KeyAlgorithm.ecdsaP256, DigestAlgorithm.sha256, "sha256"),
        (SoftToken.ecdsaP384, .ecdsaP384, .sha384, "sha384"),
        (SoftToken.rsa, .rsa(bits: 2048), .sha256, "sha256"),
    ])
    func `a key in a token signs what openssl verifies`(
        label: String,
        algorithm: KeyAlgorithm,
        digest: DigestAlgorithm,
        name: String
    ) async throws {
        let token = try await SoftToken.shared()
        let key = try PrivateKeyLocation(token.uri(label)).open(passphrase: nil)
        #expect(key.algorithm == algorithm)
        let signature = try key.sign(Self.message, digest: digest)
        #expect(
            try await OpenSSLProgram.verifies(
                signature: signature,
                message: Self.message,
                publicKey: key.subjectPublicKeyInfo,
                digest: name
            )
        )
    }

    @Test func `a key is found by its id, the PIN comes as passphrase, and the module by default`() async throws {
        let token = try await SoftToken.shared()
        let byLabel = try PrivateKeyLocation(token.uri(SoftToken.ecdsaP384)).open(passphrase: nil)
        let byID = try PrivateKeyLocation("pkcs11:token=muster;id=%02")
            .open(passphrase: Array(SoftToken.pin.utf8), defaultModulePath: SoftToken.module)
        #expect(byID.subjectPublicKeyInfo == byLabel.subjectPublicKeyInfo)
    }

    @Test func `a key does not leave its token`() async throws {
        let token = try await SoftToken.shared()
        let key = try PrivateKeyLocation(token.uri(SoftToken.ecdsaP256)).open(passphrase: nil)
        let error = #expect(throws: OpenSSLError.self) { try key.pem(passphrase: nil) }
        #expect(error?.description.contains("PKCS#11 token") == true)
        let scalar = unsafe key.withP256Scalar { unsafe Array($0) }
        #expect(scalar == nil)
    }

    @Test func `keys in a token sign from many threads while others are opened and let go`() async throws {
        let token = try await SoftToken.shared()
        let (tasks, rounds) = (8, 25)
        let elliptic = try PrivateKeyLocation(token.uri(SoftToken.ecdsaP256)).open(passphrase: nil)
        let rsa = try PrivateKeyLocation(token.uri(SoftToken.rsa)).open(passphrase: nil)
        let signatures = try await withThrowingTaskGroup(of: [[UInt8]].self) { group in
            for task in 0..<tasks {
                let key = task.isMultiple(of: 2) ? elliptic : rsa
                group.addTask { try (0..<rounds).map { _ in try key.sign(Self.message, digest: .sha256) } }
            }
            group.addTask {
                for _ in 0..<rounds {
                    let passing = try PrivateKeyLocation(token.uri(SoftToken.ecdsaP384)).open(passphrase: nil)
                    #expect(try !passing.sign(Self.message, digest: .sha384).isEmpty)
                }
                return []
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(signatures.count == tasks * rounds)
        // PKCS#1 v1.5 is deterministic; ECDSA is not.
        #expect(Set(signatures).count == tasks / 2 * rounds + 1)
    }

    @Test func `a wrong label or token is an error that names the URI`() async throws {
        let token = try await SoftToken.shared()
        for uri in [token.uri("no-such-key"), token.uri(SoftToken.rsa).replacing("token=muster", with: "token=other")] {
            let error = #expect(throws: PrivateKeyLocationError.self) {
                try PrivateKeyLocation(uri).open(passphrase: nil)
            }
            #expect(try #require(error).description.contains("no such token or key, or a wrong PIN"))
        }
    }

    @Test func `another module in the same process is refused by name`() async throws {
        let token = try await SoftToken.shared()
        _ = try PrivateKeyLocation(token.uri(SoftToken.rsa)).open(passphrase: nil)
        let uri = "pkcs11:token=muster;object=x?module-path=/usr/lib/other.so&pin-source=\(token.pinSource)"
        let error = #expect(throws: PrivateKeyLocationError.self) { try PrivateKeyLocation(uri).open(passphrase: nil) }
        #expect(try #require(error).description.contains("this process has loaded \(SoftToken.module)"))
    }

    @Test func `a process that signed with a token ends well`() async throws {
        let uri = try await SoftToken.shared().uri(SoftToken.ecdsaP256)
        await #expect(processExitsWith: .exitCode(0)) { [uri = uri as String] in
            let key = try PrivateKeyLocation(uri).open(passphrase: nil)
            let signature = try key.sign(Self.message, digest: .sha256)
            #expect(!signature.isEmpty)
            exit(0)
        }
    }

    @Test func `a wrong PIN is an error, and nothing asks for another`() async throws {
        let token = try await SoftToken.shared()
        let wrong = try token.folder.write("wrong-pin", "000000".utf8)
        let uri = token.uri(SoftToken.rsa).replacing(token.pinSource, with: wrong)
        // In a process of its own: here the token is logged in to already.
        await #expect(processExitsWith: .success) { [uri = uri as String] in
            let error = #expect(throws: PrivateKeyLocationError.self) {
                try PrivateKeyLocation(uri).open(passphrase: nil)
            }
            #expect(error?.description.contains("or a wrong PIN") == true)
            #expect(error?.description.contains("000000") == false)
        }
    }

    @Test func `a module that is missing or none is an error, and a right one may follow`() async throws {
        let token = try await SoftToken.shared()
        let (uri, pinSource) = (token.uri(SoftToken.rsa), token.pinSource)
        await #expect(processExitsWith: .success) { [uri = uri as String, pinSource = pinSource as String] in
            for (module, why) in [
                ("/usr/lib/no-such-module.so", "No such file"),
                ("/lib/x86_64-linux-gnu/libm.so.6", "no PKCS#11 module"),
            ] {
                let wrong = "pkcs11:token=muster;object=x?module-path=\(module)&pin-source=\(pinSource)"
                let error = #expect(throws: PrivateKeyLocationError.self) {
                    try PrivateKeyLocation(wrong).open(passphrase: nil)
                }
                #expect(error?.description.contains(why) == true)
            }
            let key = try PrivateKeyLocation(uri).open(passphrase: nil)
            #expect(key.algorithm == .rsa(bits: 2048))
        }
    }
}
