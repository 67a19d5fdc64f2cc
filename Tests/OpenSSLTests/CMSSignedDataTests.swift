import Foundation
import OpenSSL
import TestPeers
import Testing

/// CMS SignedData (RFC 5652) between this module and the openssl program.
@Suite struct CMSSignedDataTests {
    /// With every octet value, a bare line feed and a carriage return: nothing is rewritten as text.
    private static let content = Array("{\"type\":\"x\"}\n\r\n".utf8) + Array(0...255)

    @Test(arguments: [KeyAlgorithm.ecdsaP256, .ecdsaP384, .ecdsaP521, .rsa(bits: 2048)])
    func `openssl accepts a message with the root alone, and so do we`(algorithm: KeyAlgorithm) async throws {
        let fixture = try await CMSFixture(algorithm: algorithm)
        let message = try sign(with: fixture)
        #expect(try await fixture.content(of: message, rootFile: fixture.rootFile) == Self.content)
        let verified = try CMSSignedData.verify(message, anchors: [fixture.otherRoot, fixture.root], at: Date())
        #expect(verified.content == Self.content)
        #expect(verified.signerCertificate == fixture.signer)
    }

    @Test func `a key in a token signs messages`() async throws {
        let token = try await SoftToken.shared()
        for label in [SoftToken.ecdsaP256, SoftToken.rsa] {
            let fixture = try await CMSFixture(key: PrivateKeyLocation(token.uri(label)).open(passphrase: nil))
            let message = try sign(with: fixture)
            #expect(try await fixture.content(of: message, rootFile: fixture.rootFile) == Self.content)
        }
    }

    @Test func `a message is DER, signs its time, and carries signer and chain`() async throws {
        let fixture = try await CMSFixture(algorithm: .ecdsaP384)
        let time = try Date("2031-02-03T04:05:06Z", strategy: .iso8601)
        let message = try sign(with: fixture, at: time)
        let path = try fixture.folder.write("message.der", message)
        let shown = try await OpenSSLProgram.run(["cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", path])
        let text = String(decoding: shown, as: UTF8.self)
        #expect(text.contains("Feb  3 04:05:06 2031 GMT"))
        #expect(text.contains("algorithm: sha384"))
        #expect(text.contains("CN=signer") && text.contains("CN=intermediate"))
        #expect(
            try await OpenSSLProgram.run(["cms", "-cmsout", "-inform", "DER", "-outform", "DER", "-in", path])
                == message
        )

        let late = try sign(with: fixture, at: Date("2050-01-01T00:00:00Z", strategy: .iso8601))
        let parsed = try await OpenSSLProgram.run(["asn1parse", "-inform", "DER"], input: late)
        #expect(String(decoding: parsed, as: UTF8.self).contains("GENERALIZEDTIME   :20500101000000Z"))
    }

    @Test func `a bit flipped anywhere in content or signature is refused, by both`() async throws {
        let fixture = try await CMSFixture()
        let message = try sign(with: fixture)
        let start = try #require(message.firstRange(of: Self.content)?.lowerBound)
        for place in [start, start + Self.content.count - 1, message.count - 1, message.count - 40] {
            var changed = message
            changed[place] ^= 1
            #expect(throws: OpenSSLError.self) {
                try CMSSignedData.verify(changed, anchors: [fixture.root], at: Date())
            }
            #expect(try await fixture.content(of: changed, rootFile: fixture.rootFile) == nil)
        }
    }

    @Test func `no octet that is changed or cut off brings other content through`() async throws {
        let fixture = try await CMSFixture()
        let message = try sign(with: fixture)
        let anchors = [fixture.root]
        for place in stride(from: 0, to: message.count, by: 7) {
            var changed = message
            changed[place] ^= 0x41
            // Some octets say nothing, as those of a certificate that is not needed; what they carry is unchanged.
            if let verified = try? CMSSignedData.verify(changed, anchors: anchors, at: Date()) {
                #expect(verified.content == Self.content && verified.signerCertificate == fixture.signer)
            }
            #expect(throws: OpenSSLError.self) {
                try CMSSignedData.verify(Array(message[..<place]), anchors: anchors, at: Date())
            }
        }
    }

    @Test func `another root, no root and a time outside the certificates are refused`() async throws {
        let fixture = try await CMSFixture()
        let message = try sign(with: fixture)
        #expect(try await fixture.content(of: message, rootFile: fixture.otherRootFile) == nil)
        let year: TimeInterval = 366 * 24 * 3600
        for (anchors, time) in [
            ([fixture.otherRoot], Date()), ([], Date()), ([fixture.intermediate], Date()),
            ([fixture.root], Date() + year), ([fixture.root], Date() - year),
        ] {
            #expect(throws: OpenSSLError.self) { try CMSSignedData.verify(message, anchors: anchors, at: time) }
        }
    }

    @Test func `a chain may repeat itself, the signer and the root`() async throws {
        let fixture = try await CMSFixture()
        let chain = [fixture.signer, fixture.intermediate, fixture.root, fixture.intermediate]
        let message = try sign(with: fixture, chain: chain)
        #expect(try await fixture.content(of: message, rootFile: fixture.rootFile) == Self.content)
    }

    @Test func `without the intermediate in it a message does not verify`() async throws {
        let fixture = try await CMSFixture()
        let message = try sign(with: fixture, chain: [])
        #expect(throws: OpenSSLError.self) {
            try CMSSignedData.verify(message, anchors: [fixture.root], at: Date())
        }
    }

    @Test func `what openssl signs verifies here`() async throws {
        for algorithm in [KeyAlgorithm.ecdsaP256, .rsa(bits: 2048)] {
            let fixture = try await CMSFixture(algorithm: algorithm)
            let message = try await fixture.signedByOpenSSL(Self.content)
            let verified = try CMSSignedData.verify(message, anchors: [fixture.root], at: Date())
            #expect(verified.content == Self.content)
            #expect(verified.signerCertificate == fixture.signer)
        }
    }

    @Test func `K-05: detached, unattributed, SHA-1 and doubly signed messages are refused with what is wrong`()
        async throws
    {
        let fixture = try await CMSFixture()
        let message = try await fixture.signedByOpenSSL(Self.content)
        let (first, second) = (fixture.folder.path + "/signer", fixture.folder.path + "/ca")
        let twice = try await OpenSSLProgram.run(
            [
                "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer", first + ".pem", "-inkey",
                first + ".key", "-signer", second + ".pem", "-inkey", second + ".key",
            ],
            input: Self.content
        )
        for (refused, why) in [
            (try await fixture.signedByOpenSSL(Self.content, ["-md", "sha256"]), "detached"),
            (try await fixture.signedByOpenSSL(Self.content, ["-nodetach", "-noattr"]), "no signed attributes"),
            (try await fixture.signedByOpenSSL(Self.content, ["-nodetach", "-md", "sha1"]), "SHA-256"),
            (twice, "2 signers"),
            (message + [0], "octets follow"),
            (Array(message.dropLast()), "not CMS in DER"),
            (fixture.signer, "not CMS in DER"),
            ([], "1 to 1048576 octets"),
            ([UInt8](repeating: 0x30, count: CMSSignedData.octetsMax + 1), "1 to 1048576 octets"),
        ] {
            let error = #expect(throws: OpenSSLError.self) {
                try CMSSignedData.verify(refused, anchors: [fixture.root], at: Date())
            }
            #expect(error?.description.contains(why) == true, "\(why)")
        }
    }

    @Test func `certificates without a signer, as EST sends them, are no signed message`() async throws {
        let fixture = try await CMSFixture()
        let bare = try await OpenSSLProgram.run([
            "crl2pkcs7", "-nocrl", "-certfile", fixture.folder.path + "/ca.pem", "-outform", "DER",
        ])
        #expect(throws: OpenSSLError.self) { try CMSSignedData.verify(bare, anchors: [fixture.root], at: Date()) }
    }

    @Test func `another's certificate, an Ed25519 key and a content too large are not signed with`() async throws {
        let fixture = try await CMSFixture()
        let other = try PrivateKey.generate(.ecdsaP256)
        for (key, content, why) in [
            (other, Self.content, "not for the signer's key"),
            (try PrivateKey.generate(.ed25519), Self.content, "Ed25519"),
            (fixture.key, [UInt8](repeating: 0, count: CMSSignedData.octetsMax + 1), "1048576"),
        ] {
            let error = #expect(throws: OpenSSLError.self) {
                try CMSSignedData.sign(
                    content: content,
                    signerCertificate: fixture.signer,
                    key: key,
                    chain: [fixture.intermediate],
                    signingTime: Date()
                )
            }
            #expect(error?.description.contains(why) == true)
        }
    }

    private func sign(
        with fixture: CMSFixture,
        chain: [[UInt8]]? = nil,
        at time: Date = Date()
    ) throws -> [UInt8] {
        try CMSSignedData.sign(
            content: Self.content,
            signerCertificate: fixture.signer,
            key: fixture.key,
            chain: chain ?? [fixture.intermediate],
            signingTime: time
        )
    }
}
