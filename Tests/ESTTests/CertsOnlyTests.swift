import EST
import TestPeers
import Testing

struct CertsOnlyTests {
    /// A self-signed certificate of openssl's making, in DER.
    static func certificate(_ name: String) async throws -> [UInt8] {
        let arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",
            "-subj", "/CN=\(name)", "-outform", "DER",
        ]
        return try await Program.run("openssl", arguments).output
    }

    @Test
    func `EST-11: openssl reads the certificates of what is written, and finds nothing else in it`() async throws {
        let certificates = try await [Self.certificate("one"), Self.certificate("two")]
        let message = try CertsOnly.encode(certificates)
        let printed = try await Program.run(
            "openssl",
            ["pkcs7", "-inform", "DER", "-print_certs", "-noout"],
            input: message
        )
        #expect(printed.text.contains("CN = one"))
        #expect(printed.text.contains("CN = two"))
        let cms = try await Program.run(
            "openssl",
            ["cms", "-cmsout", "-inform", "DER", "-print", "-noout"],
            input: message
        )
        #expect(cms.text.contains("version: 1"))
        #expect(cms.text.contains("eContent: <ABSENT>"))
        #expect(cms.text.contains("signerInfos:\n      <EMPTY>"))
        let parsed = try await Program.run("openssl", ["asn1parse", "-inform", "DER"], input: message)
        #expect(parsed.succeeded)
    }

    @Test
    func `EST-14: the same certificates give the same octets, each once`() async throws {
        let one = try await Self.certificate("one")
        let two = try await Self.certificate("two")
        let message = try CertsOnly.encode([one, two])
        #expect(try CertsOnly.encode([two, one, two]) == message)
        #expect(try Set(CertsOnly.decode(message)) == [one, two])
        #expect(try CertsOnly.decode(message).count == 2)
    }

    @Test
    func `What openssl crl2pkcs7 writes is read`() async throws {
        let folder = try TemporaryDirectory()
        let one = try await Self.certificate("one")
        let pem = try await Program.run("openssl", ["x509", "-inform", "DER"], input: one).output
        let file = try folder.write("one.pem", pem)
        let message = try await Program.run(
            "openssl",
            ["crl2pkcs7", "-nocrl", "-certfile", file, "-outform", "DER"]
        ).output
        #expect(try CertsOnly.decode(message) == [one])
    }

    @Test
    func `A message with content and a signer is not certs-only`() async throws {
        let folder = try TemporaryDirectory()
        let key = folder.path + "/key.pem"
        let certificate = folder.path + "/certificate.pem"
        let made = try await Program.run(
            "openssl",
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", certificate]
        )
        #expect(made.succeeded)
        for extra in [["-nodetach"], []] {
            let message = try await Program.run(
                "openssl",
                ["cms", "-sign", "-binary", "-signer", certificate, "-inkey", key, "-outform", "DER"] + extra,
                input: Array("hello".utf8)
            )
            #expect(message.succeeded)
            #expect(throws: CertsOnlyDefect.self) { try CertsOnly.decode(message.output) }
        }
    }

    @Test
    func `No prefix of a message is a message, and no flipped bit breaks the reader`() async throws {
        let message = try await CertsOnly.encode([Self.certificate("one")])
        for length in 0..<message.count {
            #expect(throws: CertsOnlyDefect.self) { try CertsOnly.decode(Array(message[..<length])) }
        }
        #expect(throws: CertsOnlyDefect.self) { try CertsOnly.decode(message + [0]) }
        for index in message.indices {
            var changed = message
            changed[index] ^= 0x10
            _ = try? CertsOnly.decode(changed)
        }
    }

    @Test
    func `Count and size are bounded`() async throws {
        let one = try await Self.certificate("one")
        #expect(throws: CertsOnlyDefect.noCertificate) { try CertsOnly.encode([]) }
        #expect(throws: CertsOnlyDefect.notACertificate) { try CertsOnly.encode([one + [0]]) }
        #expect(throws: CertsOnlyDefect.notACertificate) { try CertsOnly.encode([[]]) }
        let many = (0...UInt8(CertsOnly.certificatesMax)).map { [0x30, 0x03, 0x02, 0x01, $0] }
        #expect(throws: CertsOnlyDefect.tooMany(max: 32)) { try CertsOnly.encode(many) }
        let message = try CertsOnly.encode(Array(many.dropLast()))
        #expect(try CertsOnly.decode(message).count == 32)
        #expect(throws: CertsOnlyDefect.tooMany(max: 31)) { try CertsOnly.decode(message, certificatesMax: 31) }
        let large: [UInt8] = [0x30, 0x83, 0x01, 0x00, 0x00] + [UInt8](repeating: 0, count: 65536)
        #expect(throws: CertsOnlyDefect.tooLarge(max: CertsOnly.octetsMax)) { try CertsOnly.encode([large]) }
        #expect(throws: CertsOnlyDefect.tooLarge(max: CertsOnly.octetsMax)) { try CertsOnly.decode(large) }
    }
}
