import Crypto
import Foundation
import PKI
import SwiftASN1
import TestKit
import TestPeers
import Testing
import X509

/// The name of a key in the record is the same wherever it was read from, and openssl's.
struct PublicKeyInfoTests {
    /// SHA-256 of the SubjectPublicKeyInfo of the certificate in `file`, by the openssl program.
    private func opensslHash(_ file: String) async throws -> [UInt8] {
        let key = try await Program.run("openssl", ["x509", "-in", file, "-noout", "-pubkey"])
        let info = try await Program.run("openssl", ["pkey", "-pubin", "-outform", "DER"], input: key.output)
        try #require(info.succeeded, "\(info.errorOutput)")
        return [UInt8](SHA256.hash(data: info.output))
    }

    @Test(arguments: DeviceKey.Kind.allCases)
    func `a certificate's key has openssl's hash`(_ kind: DeviceKey.Kind) async throws {
        let folder = try TemporaryDirectory()
        let authority = try TestAuthority.selfSigned("Manufacturer", role: .bootstrapAnchor)
        let draft = try ClientCertificateDraft(commonName: "Meter", serialNumber: "meter-1")
        let der = try draft.signed(by: authority, for: DeviceKey.make(kind).publicKey)
        let certificate = try Certificate(derEncoded: der)
        let file = try folder.write("certificate.pem", certificate.serializeAsPEM().pemString.utf8)
        let hash = try await opensslHash(file)
        #expect(try PublicKeyInfo.sha256(of: certificate.publicKey, in: der) == hash)
        #expect(try PublicKeyInfo.sha256(of: certificate.publicKey) == hash)
    }

    @Test func `a certificate of version 1 has no version, and its key the same hash`() async throws {
        let folder = try TemporaryDirectory()
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder.path + "/key"]
        let request = try await Program.run("openssl", ["req", "-new", "-subj", "/CN=meter-1"] + key)
        let made = try await Program.run(
            "openssl",
            ["x509", "-req", "-signkey", folder.path + "/key"],
            input: request.output
        )
        try #require(made.succeeded, "\(made.errorOutput)")
        let certificate = try Certificate(pemEncoded: made.text)
        #expect(certificate.version == .v1)
        let file = try folder.write("certificate.pem", made.output)
        let document = try PEMDocument(pemString: made.text)
        #expect(
            try await PublicKeyInfo.sha256(of: certificate.publicKey, in: document.derBytes) == opensslHash(file)
        )
    }

    @Test(arguments: DeviceKey.Kind.allCases)
    func `a request's key has the same facts as the key alone`(_ kind: DeviceKey.Kind) throws {
        let key = try DeviceKey.make(kind)
        let policy = KeyPolicy(families: Set(KeyPolicy.Family.allCases))
        let request = try UnverifiedRequest(der: RequestDraft(key).der()).verified(policy)
        #expect(request.publicKeyFacts == PublicKeyFacts(key.publicKey))
        #expect(try request.publicKeySHA256 == key.sha256)
    }

    @Test func `octets that are no certificate leave the key as it is`() throws {
        let key = try DeviceKey.make()
        for octets: [UInt8] in [[], [0x30], [0x30, 0x84, 1, 0, 0, 0], [0x30, 0x03, 0x30, 0x05, 0x02]] {
            #expect(try PublicKeyInfo.sha256(of: key.publicKey, in: octets) == key.sha256)
        }
    }
}
