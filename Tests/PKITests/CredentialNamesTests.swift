import PKI
import SwiftASN1
import TestKit
import TestPeers
import Testing
import X509

/// What a bootstrap credential's alternative names say, as openssl and as others write them.
struct CredentialNamesTests {
    /// A certificate that the openssl program made with this `subjectAltName` and these further lines of configuration.
    private func certificate(_ names: String?, _ more: String = "") async throws -> Certificate {
        let folder = try TemporaryDirectory()
        let configuration = """
            [req]
            distinguished_name = dn
            x509_extensions = ext
            prompt = no
            [dn]
            CN = Meter 1
            [ext]
            keyUsage = critical, digitalSignature
            \(names.map { "subjectAltName = \($0)" } ?? "")
            \(more)
            """
        let file = try folder.write("openssl.cnf", configuration.utf8)
        let made = try await Program.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                folder.path + "/key.pem", "-config", file,
            ]
        )
        try #require(made.succeeded, "\(made.errorOutput)")
        return try Certificate(pemEncoded: made.text)
    }

    /// An openssl section that makes a HardwareModuleName of this hwSerialNum.
    private func module(_ serialNumber: String) -> String {
        "[module]\nhwType = OID:1.3.6.1.4.1.32473.1\nhwSerialNum = \(serialNumber)"
    }

    @Test func `openssl's hardwareModuleName is read (RFC 4108 section 5)`() async throws {
        let names = "otherName:1.3.6.1.5.5.7.8.4;SEQ:module"
        let text = try await certificate(names, module("FORMAT:ASCII,OCTETSTRING:MTR-0042"))
        #expect(CredentialNames(text).hardwareSerialNumbers == ["MTR-0042"])
        let octets = try await certificate(names, module("FORMAT:HEX,OCTETSTRING:00FF0a"))
        #expect(CredentialNames(octets).hardwareSerialNumbers == ["00FF0A"])
        #expect(CredentialNames(octets).uris.isEmpty)
    }

    @Test func `openssl's URIs are read in their order, and names of other kinds left out`() async throws {
        let found = try await certificate("DNS:meter-1.example,URI:urn:a:1,IP:192.0.2.7,URI:urn:b:2")
        #expect(CredentialNames(found).uris == ["urn:a:1", "urn:b:2"])
        #expect(CredentialNames(found).hardwareSerialNumbers.isEmpty)
    }

    @Test func `a certificate without alternative names says nothing`() async throws {
        #expect(try await CredentialNames(certificate(nil)) == CredentialNames([]))
    }

    @Test func `alternative names that cannot be parsed say nothing`() async throws {
        let broken = try await certificate(nil, "[ext]\n2.5.29.17 = DER:30:05:86:20:61")
        #expect(CredentialNames(broken) == CredentialNames([]))
    }

    /// What is no HardwareModuleName, in the place of one.
    private static let odd: [String: [UInt8]] = [
        "a serial number alone": HandmadeDER.node(HandmadeDER.octetString, [0x31]),
        "an empty sequence": HandmadeDER.node(HandmadeDER.sequence),
        "no serial number": HandmadeDER.node(HandmadeDER.sequence, [0x06, 0x01, 0x2A]),
        "an empty serial number": HandmadeDER.node(HandmadeDER.sequence, [0x06, 0x01, 0x2A, 0x04, 0x00]),
        "the parts in the other order": HandmadeDER.node(HandmadeDER.sequence, [0x04, 0x01, 0x31, 0x06, 0x01, 0x2A]),
        "more than the two": HandmadeDER.node(
            HandmadeDER.sequence,
            [0x06, 0x01, 0x2A, 0x04, 0x01, 0x31, 0x04, 0x01, 0x31]
        ),
        "a set": HandmadeDER.node(HandmadeDER.set, [0x06, 0x01, 0x2A, 0x04, 0x01, 0x31]),
    ]

    @Test(arguments: odd.keys.sorted())
    func `what is no HardwareModuleName names no device`(_ what: String) throws {
        let value = try ASN1Any(derEncoded: DER.parse(#require(Self.odd[what])))
        let name = GeneralName.OtherName(typeID: [1, 3, 6, 1, 5, 5, 7, 8, 4], value: value)
        #expect(CredentialNames([.otherName(name)]).hardwareSerialNumbers.isEmpty)
    }

    @Test func `an otherName of another kind or without a value names no device`() throws {
        guard case .otherName(var other) = try GeneralName.hardwareModule([0x31]) else { return }
        #expect(CredentialNames([.otherName(other)]).hardwareSerialNumbers == ["1"])
        other.typeID = [1, 3, 6, 1, 4, 1, 311, 20, 2, 3]
        #expect(CredentialNames([.otherName(other)]).hardwareSerialNumbers.isEmpty)
        let empty = GeneralName.OtherName(typeID: [1, 3, 6, 1, 5, 5, 7, 8, 4], value: nil)
        #expect(CredentialNames([.otherName(empty)]).hardwareSerialNumbers.isEmpty)
    }

    @Test(
        arguments: [
            [0x41, 0x7E, 0x21]: "A~!", [0x41, 0x20]: "4120", [0x7F]: "7F", [0x80]: "80", [0x00]: "00", [0x0A]: "0A",
        ] as [[UInt8]: String]
    )
    func `octets that do not print are told in hexadecimal`(_ octets: [UInt8], _ text: String) throws {
        #expect(CredentialNames([try .hardwareModule(octets)]).hardwareSerialNumbers == [text])
    }

    @Test func `every module is told, also twice`() throws {
        let names: [GeneralName] = try [.hardwareModule([0x31]), .dnsName("x"), .hardwareModule([0x31])]
        #expect(CredentialNames(names).hardwareSerialNumbers == ["1", "1"])
    }
}
