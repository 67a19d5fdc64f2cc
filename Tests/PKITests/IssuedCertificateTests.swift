import Foundation
import OpenSSL
import PKI
import SwiftASN1
import TestKit
import TestPeers
import Testing
import X509

/// What leaves the issuer, as the openssl program reads it.
struct IssuedCertificateTests {
    private func issue(
        _ device: String,
        key: DeviceKey,
        issuer: Issuer,
        profile: CertificateProfile,
        at: Date = TestClock.start
    ) throws -> Certificate {
        let names = DeviceNames(
            device: try #require(DeviceID(device)),
            fleet: try #require(FleetName("meters"))
        )
        let template = try CertificateTemplate(
            names: names,
            publicKey: key.publicKey,
            profile: profile,
            issuer: issuer,
            now: at
        )
        let linted = try CertificateLint.lint(template, names: names, profile: profile, issuer: issuer)
        return try Certificate(derEncoded: issuer.sign(linted).der)
    }

    private func pem(_ der: [UInt8]) -> [UInt8] {
        Array((PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: der).pemString + "\n").utf8)
    }

    private func der(_ certificate: Certificate) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }

    private static let issuerKinds: [KeyAlgorithm] = [.ecdsaP256, .ecdsaP384, .ecdsaP521, .rsa(bits: 3072), .ed25519]

    @Test(arguments: issuerKinds)
    func `openssl verifies every kind of device key under every kind of issuer, strictly`(
        _ algorithm: KeyAlgorithm
    ) async throws {
        let folder = try TemporaryDirectory()
        let root = try TestAuthority.selfSigned("Example Root", algorithm: algorithm)
        let issuing = try root.signed("Example Issuing CA", algorithm: algorithm)
        let issuer = try Issuer(name: "example", chain: issuing.chain(root), key: issuing.key)
        let profile = try CertificateProfile(organization: "Example Works", trustDomain: "fleet.example")
        let rootFile = try folder.write("root.pem", pem(root.der))
        let issuingFile = try folder.write("issuing.pem", pem(issuing.der))
        var arguments = [
            "verify", "-x509_strict", "-purpose", "sslclient", "-attime",
            "\(Int(TestClock.start.timeIntervalSince1970))", "-CAfile", rootFile, "-untrusted", issuingFile,
        ]
        for kind in DeviceKey.Kind.allCases {
            let certificate = try issue("meter-1", key: .make(kind), issuer: issuer, profile: profile)
            arguments.append(try folder.write("\(kind).pem", pem(der(certificate))))
        }
        let verified = try await Program.run("openssl", arguments)
        #expect(verified.succeeded, "\(verified.errorOutput)")
        #expect(verified.text.split(separator: "\n").count { $0.hasSuffix(": OK") } == DeviceKey.Kind.allCases.count)
    }

    @Test(arguments: issuerKinds)
    func `what is signed is, octet for octet, what the library would encode`(_ algorithm: KeyAlgorithm) throws {
        let root = try TestAuthority.selfSigned("Example Root", algorithm: algorithm)
        let issuing = try root.signed("Example Issuing CA", algorithm: algorithm)
        let issuer = try Issuer(name: "example", chain: issuing.chain(root), key: issuing.key)
        let profile = try CertificateProfile(
            organization: "Example Works",
            trustDomain: "fleet.example",
            crlURLs: ["http://pki.example/crl/{issuer}/{shard}.crl"],
            issuerURLs: ["http://pki.example/ca/{issuer}.cer"]
        )
        for kind in DeviceKey.Kind.allCases {
            let key = try DeviceKey.make(kind)
            let issued = try issue("meter-1", key: key, issuer: issuer, profile: profile)
            let encoded = try Certificate(
                version: .v3,
                serialNumber: issued.serialNumber,
                publicKey: key.publicKey,
                notValidBefore: issued.notValidBefore,
                notValidAfter: issued.notValidAfter,
                issuer: issuing.certificate.subject,
                subject: issued.subject,
                signatureAlgorithm: issuer.algorithm,
                extensions: issued.extensions,
                issuerPrivateKey: Certificate.PrivateKey(SigningKey(issuing.key))
            )
            #expect(issued.tbsCertificateBytes == encoded.tbsCertificateBytes)
            #expect(issued.signatureAlgorithm == encoded.signatureAlgorithm)
        }
    }

    @Test func `openssl reads what the profile says and nothing else (X-01 to X-13)`() async throws {
        let world = try TestFleet()
        let profile = try CertificateProfile(
            organization: "Example Works",
            trustDomain: "fleet.example",
            crlURLs: ["http://pki.example/crl/{issuer}/0.crl"],
            deltaCRLURLs: ["http://pki.example/crl/{issuer}/0.delta.crl"],
            issuerURLs: ["http://pki.example/ca/{issuer}.cer"],
            ocspURLs: ["http://pki.example/ocsp"]
        )
        let certificate = try issue("00-1A", key: .make(), issuer: world.issuer, profile: profile)
        let shown = try await Program.run(
            "openssl",
            ["x509", "-noout", "-text", "-nameopt", "RFC2253,sname"],
            input: pem(der(certificate))
        )
        let text = shown.text
        for fact in [
            "Version: 3 (0x2)", "Signature Algorithm: ecdsa-with-SHA256",
            "Issuer: CN=Example Issuing CA,O=Example Works",
            "Not Before: Jan 15 11:00:00 2026 GMT", "Not After : Jan 15 12:00:00 2027 GMT",
            "Subject: CN=00-1A@meters,serialNumber=00-1A,O=Example Works",
            "X509v3 Key Usage: critical\n                Digital Signature\n",
            "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
            "X509v3 Subject Alternative Name: \n                URI:spiffe://fleet.example/meters/00-1A\n",
            "X509v3 CRL Distribution Points: \n                Full Name:\n"
                + "                  URI:http://pki.example/crl/example/0.crl",
            "X509v3 Freshest CRL: \n                Full Name:\n"
                + "                  URI:http://pki.example/crl/example/0.delta.crl",
            "CA Issuers - URI:http://pki.example/ca/example.cer",
            "OCSP - URI:http://pki.example/ocsp", "X509v3 Subject Key Identifier", "X509v3 Authority Key Identifier",
        ] {
            #expect(text.contains(fact), "\(fact)\n\(text)")
        }
        #expect(!text.contains("Basic Constraints"))
        // The heading, and seven extensions; authorityInfoAccess is not called an X509v3 one.
        #expect(text.split(separator: "\n").count { $0.contains("X509v3 ") } == 8)
    }

    @Test func `a DeviceID with an underscore has no serialNumber attribute, and is named all the same`() async throws {
        let world = try TestFleet()
        let certificate = try issue("meter_1", key: .make(), issuer: world.issuer, profile: world.profile)
        #expect(certificate.subject.serialNumberAttribute == nil)
        #expect(certificate.subject.commonName == "meter_1@meters")
    }

    @Test func `validity is clamped to the issuer's on both sides (X-05)`() throws {
        let root = try TestAuthority.selfSigned("Example Root")
        let issuing = try root.signed("Example Issuing CA", lifetime: .seconds(30 * 86_400))
        let issuer = try Issuer(name: "example", chain: issuing.chain(root), key: issuing.key)
        let profile = try CertificateProfile(
            organization: "Example Works",
            trustDomain: "fleet.example",
            lifetime: .seconds(365 * 86_400),
            backdating: .seconds(86_400)
        )
        let certificate = try issue("meter-1", key: .make(), issuer: issuer, profile: profile)
        #expect(certificate.notValidBefore == issuing.certificate.notValidBefore)
        #expect(certificate.notValidAfter == issuing.certificate.notValidAfter)
    }

    @Test func `times have whole seconds though the clock has not, and years from 2050 are written long (X-04)`() throws
    {
        let world = try TestFleet()
        let certificate = try issue(
            "meter-1",
            key: .make(),
            issuer: world.issuer,
            profile: world.profile,
            at: TestClock.start.addingTimeInterval(0.9)
        )
        #expect(certificate.notValidAfter == TestClock.start.addingTimeInterval(90 * .day))
        let credential = try world.idevid("meter-1")
        #expect(credential.der.firstRange(of: Array("99991231235959Z".utf8)) != nil)
    }

    @Test func `an issuer takes only the key of its own certificate`() throws {
        let world = try TestFleet()
        #expect(throws: ChainDefect.keyMismatch) {
            try Issuer(name: "example", chain: world.issuer.chain, key: world.root.key)
        }
    }

    @Test func `signing uses up what the lint let through, and no two signatures share a serial number`() throws {
        let world = try TestFleet()
        let key = try DeviceKey.make().publicKey
        let serials = try (0..<200).map { _ in try world.certificate(for: "meter-1", key: key).serialNumber }
        #expect(Set(serials).count == 200)
    }

    @Test func `serial numbers are positive, of 20 octets, and rise with time (X-02)`() {
        for milliseconds: UInt64 in [0, 1, 1_768_478_400_000, (1 << 48) - 1, .max] {
            let bytes = Array(SerialNumber.make(milliseconds: milliseconds).bytes)
            #expect(bytes.count == 20)
            #expect(bytes[0] & 0x80 == 0 && bytes[0] != 0)
        }
        let early = Array(SerialNumber.make(milliseconds: 1_768_478_400_000).bytes)
        let late = Array(SerialNumber.make(milliseconds: 1_768_478_400_001).bytes)
        #expect(early.lexicographicallyPrecedes(late))
        let random = (0..<1_000).map { _ in Array(SerialNumber.make(milliseconds: 7).bytes.suffix(13)) }
        #expect(Set(random).count == 1_000)
        #expect(random.allSatisfy { Set($0).count > 1 })
    }
}
