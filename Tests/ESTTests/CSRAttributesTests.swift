import EST
import SwiftASN1
import TestPeers
import Testing

struct CSRAttributesTests {
    /// The example of RFC 7030 section 4.5.2.
    static let example = "MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw=="

    @Test
    func `EST-41: the example of RFC 7030 is read, mistaken as it is`() throws {
        let attributes = try CSRAttributes(derEncoded: Base64Body.decode(Array(Self.example.utf8)).der)
        #expect(attributes.elements.count == 4)
        #expect(attributes.elements[0] == .oid(ESTObjectIdentifier.challengePassword))
        #expect(attributes.values(of: ESTObjectIdentifier.ecPublicKey) == [[0x06, 5, 0x2B, 0x81, 0x04, 0, 0x22]])
        #expect(attributes.values(of: ESTObjectIdentifier.extensionRequest)?.count == 1)
        #expect(attributes.elements[3] == .oid(ESTObjectIdentifier.ecdsaWithSHA384))
        #expect(try Base64Body.encode(attributes.encoded()) == Array(Self.example.utf8) + [0x0A])
    }

    @Test
    func `EST-40: an empty sequence demands nothing`() throws {
        #expect(try CSRAttributes(derEncoded: [0x30, 0]).elements.isEmpty)
        #expect(try CSRDemand().attributes().encoded() == [0x30, 0])
    }

    @Test
    func `EST-43: one demanded key is one attribute`() async throws {
        let ec = try CSRDemand(keys: [.p256, .p256], signatureAlgorithms: [ESTObjectIdentifier.ecdsaWithSHA256])
            .attributes()
        #expect(ec.elements.filter { $0.type == ESTObjectIdentifier.ecPublicKey }.count == 1)
        let text = try await Program.run("openssl", ["asn1parse", "-inform", "DER"], input: ec.encoded()).text
        #expect(text.contains("id-ecPublicKey"))
        #expect(text.contains("prime256v1"))
        #expect(text.contains("ecdsa-with-SHA256"))
        let rsa = try CSRDemand(keys: [.rsa(bits: 3072)]).attributes()
        #expect(rsa.values(of: ESTObjectIdentifier.rsaEncryption) == [[0x02, 0x02, 0x0C, 0x00]])
        let edwards = try CSRDemand(keys: [.ed25519], signatureAlgorithms: [ESTObjectIdentifier.ed25519]).attributes()
        #expect(edwards.elements == [.oid(ESTObjectIdentifier.ed25519)])
    }

    @Test
    func `EST-43: several acceptable keys are no demand for any of them`() throws {
        let attributes = try CSRDemand(
            keys: [.p256, .p384, .rsa(bits: 2048)],
            signatureAlgorithms: [ESTObjectIdentifier.ecdsaWithSHA256, ESTObjectIdentifier.sha256WithRSA]
        ).attributes()
        #expect(
            attributes.elements == [
                .oid(ESTObjectIdentifier.ecdsaWithSHA256), .oid(ESTObjectIdentifier.sha256WithRSA),
            ]
        )
    }

    @Test
    func `EST-42: demanded extensions sit in one attribute with one value, none twice`() async throws {
        let san = try CSRExtensionDemand.subjectAltName(uris: ["spiffe://demo.example/demo/device-1"])
        let keyUsage = CSRExtensionDemand(type: [2, 5, 29, 15], isCritical: true, value: [0x03, 0x02, 0x07, 0x80])
        let attributes = try CSRDemand(extensions: [keyUsage, san], challengePassword: true).attributes()
        #expect(attributes.elements.count == 2)
        #expect(attributes.values(of: ESTObjectIdentifier.extensionRequest)?.count == 1)
        let text = try await Program.run("openssl", ["asn1parse", "-inform", "DER"], input: attributes.encoded()).text
        #expect(text.contains("X509v3 Key Usage"))
        #expect(text.contains("X509v3 Subject Alternative Name"))
        #expect(text.contains("challengePassword"))
        #expect(throws: CSRAttributesDefect.repeatedExtension("2.5.29.17")) {
            try CSRDemand(extensions: [san, san]).attributes()
        }
        #expect(throws: CSRAttributesDefect.self) { try CSRExtensionDemand.subjectAltName(uris: ["spiffe://é"]) }
    }

    @Test
    func `EST-44: a template says what the CA fills in and what it leaves to the client`() async throws {
        let template = try CSRTemplate(
            subject: [
                .init(type: [2, 5, 4, 10], value: "Example"),
                .init(type: [2, 5, 4, 3], value: nil),
            ],
            key: .p384,
            extensions: [.subjectAltName(uris: [])]
        )
        let attributes = try CSRDemand(keys: [.p384], template: template).attributes()
        let value = try #require(attributes.values(of: ESTObjectIdentifier.requestInfoTemplate)?.first)
        // version 0, NameTemplate, [0] { algorithm }, [1] { attribute }
        let expected: [UInt8] =
            [0x30, 0x50, 0x02, 0x01, 0x00]
            + [0x30, 0x1B, 0x31, 0x10, 0x30, 0x0E, 0x06, 0x03, 0x55, 0x04, 0x0A, 0x0C, 0x07] + Array("Example".utf8)
            + [0x31, 0x07, 0x30, 0x05, 0x06, 0x03, 0x55, 0x04, 0x03]
        #expect(value.starts(with: expected))
        let text = try await Program.run("openssl", ["asn1parse", "-inform", "DER"], input: value).text
        #expect(text.contains("secp384r1"))
        #expect(text.contains("cont [ 0 ]"))
        #expect(text.contains("cont [ 1 ]"))
        #expect(text.contains("1.2.840.113549.1.9.16.2.62"))
        #expect(try CSRAttributes(derEncoded: attributes.encoded()) == attributes)
    }

    @Test
    func `EST-44: a template without demands still has its attributes, and RSA has a stand-in of its size`() throws {
        #expect(try CSRTemplate().encoded() == [0x30, 0x05, 0x02, 0x01, 0x00, 0xA1, 0x00])
        let rsa = try CSRTemplate(key: .rsa(bits: 2048)).encoded()
        // BIT STRING with an RSAPublicKey whose modulus has 257 octets, the first zero.
        #expect(
            rsa.firstRange(of: [
                0x03, 0x82, 0x01, 0x0F, 0x00, 0x30, 0x82, 0x01, 0x0A, 0x02, 0x82, 0x01, 0x01, 0x00, 0xFF,
            ]) != nil
        )
        #expect(try CSRTemplate(key: .ed25519).encoded().firstRange(of: [0xA0, 0x07, 0x30, 0x05, 0x06, 0x03]) != nil)
        #expect(throws: CSRAttributesDefect.self) { try CSRTemplate(key: .rsa(bits: 9_000_000)).encoded() }
    }

    @Test
    func `Count and size are bounded, and no prefix is read`() throws {
        let oid: [UInt8] = [0x06, 0x03, 0x55, 0x04, 0x03]
        func list(_ count: Int) -> [UInt8] {
            let content = [[UInt8]](repeating: oid, count: count).flatMap { $0 }
            return [0x30, 0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)] + content
        }
        #expect(try CSRAttributes(derEncoded: list(64)).elements.count == 64)
        #expect(throws: CSRAttributesDefect.tooMany(max: 64)) { try CSRAttributes(derEncoded: list(65)) }
        #expect(throws: CSRAttributesDefect.tooLarge(max: CSRAttributes.octetsMax)) {
            try CSRAttributes(derEncoded: list(4000))
        }
        let example = try Base64Body.decode(Array(Self.example.utf8)).der
        for length in 0..<example.count {
            #expect(throws: CSRAttributesDefect.self) { try CSRAttributes(derEncoded: Array(example[..<length])) }
        }
    }
}
