import OpenSSL
import TestPeers
import Testing

/// Keys as files of other programs have them, and as other programs read ours.
@Suite struct PrivateKeyTests {
    /// One way that the openssl program writes a key.
    struct Written: Sendable, CustomTestStringConvertible {
        let name: String
        let algorithm: KeyAlgorithm
        /// Arguments that make a key on standard output.
        let make: [String]
        /// Arguments that turn that into another form, from standard input.
        var convert: [String]?
        var testDescription: String { name }
    }

    private static let passphrase = "correct horse"
    private static let message = Array("what is signed".utf8)

    static let forms: [Written] = [
        Written(name: "PKCS#8 P-256", algorithm: .ecdsaP256, make: generate("EC", "ec_paramgen_curve:P-256")),
        Written(name: "PKCS#8 P-384", algorithm: .ecdsaP384, make: generate("EC", "ec_paramgen_curve:P-384")),
        Written(name: "PKCS#8 P-521", algorithm: .ecdsaP521, make: generate("EC", "ec_paramgen_curve:P-521")),
        Written(name: "PKCS#8 RSA", algorithm: .rsa(bits: 2048), make: generate("RSA", "rsa_keygen_bits:2048")),
        Written(name: "PKCS#8 Ed25519", algorithm: .ed25519, make: ["genpkey", "-algorithm", "ED25519"]),
        Written(
            name: "SEC 1 with parameters before it",
            algorithm: .ecdsaP384,
            make: ["ecparam", "-genkey", "-name", "secp384r1"]
        ),
        Written(name: "PKCS#1", algorithm: .rsa(bits: 3072), make: ["genrsa", "-traditional", "3072"]),
    ]

    static let encryptedForms: [Written] = [
        Written(
            name: "PKCS#8, AES-256",
            algorithm: .ecdsaP256,
            make: generate("EC", "ec_paramgen_curve:P-256"),
            convert: ["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:\(passphrase)"]
        ),
        Written(
            name: "PKCS#8, scrypt",
            algorithm: .ed25519,
            make: ["genpkey", "-algorithm", "ED25519"],
            convert: ["pkcs8", "-topk8", "-scrypt", "-passout", "pass:\(passphrase)"]
        ),
        Written(
            name: "PKCS#1, AES-128",
            algorithm: .rsa(bits: 2048),
            make: ["genrsa", "2048"],
            convert: ["rsa", "-traditional", "-aes128", "-passout", "pass:\(passphrase)"]
        ),
        Written(
            name: "SEC 1, AES-256",
            algorithm: .ecdsaP256,
            make: ["ecparam", "-genkey", "-noout", "-name", "prime256v1"],
            convert: ["ec", "-aes256", "-passout", "pass:\(passphrase)"]
        ),
    ]

    private static func generate(_ algorithm: String, _ option: String) -> [String] {
        ["genpkey", "-algorithm", algorithm, "-pkeyopt", option]
    }

    @Test(arguments: forms)
    func `a key that openssl wrote signs what openssl verifies`(form: Written) async throws {
        let key = try PrivateKey(pem: await OpenSSLProgram.run(form.make), passphrase: nil)
        #expect(key.algorithm == form.algorithm)
        try await expectSignatures(of: key)
    }

    @Test(arguments: encryptedForms)
    func `an encrypted key that openssl wrote opens with its passphrase alone`(form: Written) async throws {
        let plain = try await OpenSSLProgram.run(form.make)
        let pem = try await OpenSSLProgram.run(try #require(form.convert), input: plain)
        let key = try PrivateKey(pem: pem, passphrase: Array(Self.passphrase.utf8))
        #expect(key.algorithm == form.algorithm)
        #expect(try key.subjectPublicKeyInfo == PrivateKey(pem: plain, passphrase: nil).subjectPublicKeyInfo)

        let unasked = #expect(throws: OpenSSLError.self) { try PrivateKey(pem: pem, passphrase: nil) }
        #expect(unasked?.reasons.first == "it is encrypted, and no passphrase was given")
        let wrong = #expect(throws: OpenSSLError.self) { try PrivateKey(pem: pem, passphrase: Array("wrong".utf8)) }
        #expect(wrong?.reasons.first == "the passphrase does not open it")
    }

    @Test(arguments: [KeyAlgorithm.ecdsaP256, .ecdsaP384, .ecdsaP521, .rsa(bits: 2048), .ed25519])
    func `a key made here is one that openssl reads, plain and encrypted`(algorithm: KeyAlgorithm) async throws {
        let key = try PrivateKey.generate(algorithm)
        #expect(key.algorithm == algorithm)
        try await expectSignatures(of: key)

        let plain = try await OpenSSLProgram.run(
            ["pkey", "-pubout", "-outform", "DER"],
            input: key.pem(passphrase: nil)
        )
        #expect(plain == key.subjectPublicKeyInfo)
        let sealed = try key.pem(passphrase: Array(Self.passphrase.utf8))
        #expect(String(decoding: sealed, as: UTF8.self).hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
        let opened = try await OpenSSLProgram.run(
            ["pkey", "-passin", "pass:\(Self.passphrase)", "-pubout", "-outform", "DER"],
            input: sealed
        )
        #expect(opened == key.subjectPublicKeyInfo)
        #expect(
            try PrivateKey(pem: sealed, passphrase: Array(Self.passphrase.utf8)).subjectPublicKeyInfo
                == key.subjectPublicKeyInfo
        )
    }

    @Test func `an encrypted key is sealed with AES-256-CBC and PBKDF2 over SHA-256`() async throws {
        let folder = try TemporaryDirectory()
        let pem = try PrivateKey.generate(.ecdsaP256).pem(passphrase: Array(Self.passphrase.utf8))
        let path = try folder.write("key.pem", pem)
        let shown = String(decoding: try await OpenSSLProgram.run(["asn1parse", "-in", path]), as: UTF8.self)
        for part in ["PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc", "0927C0"] {
            #expect(shown.contains(part), "the rounds and algorithms are written in the file")
        }
    }

    @Test(arguments: [
        ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
        ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224"],
        ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"],
        ["genpkey", "-algorithm", "X25519"],
        ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    ])
    func `K-01 K-02 K-03: a weak key, another curve and a key that cannot sign are refused`(make: [String]) async throws
    {
        let pem = try await OpenSSLProgram.run(make)
        #expect(throws: OpenSSLError.self) { try PrivateKey(pem: pem, passphrase: nil) }
    }

    @Test(arguments: [
        [], Array("no key".utf8), Array("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".utf8),
        [UInt8](repeating: UInt8(ascii: "A"), count: PrivateKey.pemOctetsMax + 1),
    ])
    func `what is no key is refused with a text`(pem: [UInt8]) {
        let error = #expect(throws: OpenSSLError.self) { try PrivateKey(pem: pem, passphrase: nil) }
        #expect(error?.description.hasPrefix("could not read the private key") == true)
    }

    @Test func `a modulus outside the accepted sizes is not generated`() {
        #expect(throws: OpenSSLError.self) { try PrivateKey.generate(.rsa(bits: 1024)) }
        #expect(throws: OpenSSLError.self) { try PrivateKey.generate(.rsa(bits: 16384)) }
    }

    @Test func `a key knows its certificate from another's`() async throws {
        let (one, other) = (try PrivateKey.generate(.ecdsaP256), try PrivateKey.generate(.ecdsaP256))
        let folder = try TemporaryDirectory()
        let path = try folder.write("key.pem", try one.pem(passphrase: nil))
        let certificate = try await OpenSSLProgram.run(
            ["req", "-x509", "-key", path, "-subj", "/CN=one", "-outform", "DER"])
        #expect(try one.matches(certificate: certificate))
        #expect(try !other.matches(certificate: certificate))
        #expect(throws: OpenSSLError.self) { try one.matches(certificate: certificate + [0]) }
        #expect(throws: OpenSSLError.self) { try one.matches(certificate: Array(certificate.dropLast())) }
    }

    @Test func `one key signs from many tasks at once`() async throws {
        let key = try PrivateKey.generate(.ecdsaP256)
        let signatures = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<64 { group.addTask { try key.sign(Self.message, digest: .sha256) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(signatures).count == 64)
        for signature in signatures.prefix(4) {
            #expect(
                try await OpenSSLProgram.verifies(
                    signature: signature,
                    message: Self.message,
                    publicKey: key.subjectPublicKeyInfo,
                    digest: "sha256"
                )
            )
        }
    }

    @Test func `the scalar of a P-256 key is the one that openssl shows`() async throws {
        let key = try PrivateKey.generate(.ecdsaP256)
        let given = unsafe key.withP256Scalar { unsafe Array($0) }
        let scalar = try #require(given)
        let shown = try await OpenSSLProgram.run(["ec", "-text", "-noout"], input: try key.pem(passphrase: nil))
        let lines = String(decoding: shown, as: UTF8.self).split(separator: "\n")
        let digits = lines.drop { !$0.hasPrefix("priv:") }.dropFirst().prefix { $0.hasPrefix(" ") }.joined()
            .filter(\.isHexDigit)
        #expect(scalar.count == 32)
        #expect(scalar.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == digits)
        for other in [KeyAlgorithm.ecdsaP384, .rsa(bits: 2048), .ed25519] {
            let none = try unsafe PrivateKey.generate(other).withP256Scalar { unsafe Array($0) }
            #expect(none == nil)
        }
    }

    @Test func `random octets are as many as asked, and differ`() throws {
        #expect(try SecureRandom.bytes(count: 0) == [])
        #expect(try SecureRandom.bytes(count: 20).count == 20)
        #expect(try SecureRandom.bytes(count: 20) != SecureRandom.bytes(count: 20))
        #expect(throws: OpenSSLError.self) { try SecureRandom.bytes(count: -1) }
        #expect(throws: OpenSSLError.self) { try SecureRandom.bytes(count: SecureRandom.countMax + 1) }
    }

    private func expectSignatures(of key: PrivateKey) async throws {
        let digests: [(DigestAlgorithm, String)] = [(.sha256, "sha256"), (.sha384, "sha384"), (.sha512, "sha512")]
        for (digest, name) in digests {
            let signature = try key.sign(Self.message, digest: digest)
            let named = key.algorithm == .ed25519 ? nil : name
            for (message, holds) in [(Self.message, true), (Self.message + [0], false)] {
                let accepted = try await OpenSSLProgram.verifies(
                    signature: signature,
                    message: message,
                    publicKey: key.subjectPublicKeyInfo,
                    digest: named
                )
                #expect(accepted == holds)
            }
        }
    }
}
