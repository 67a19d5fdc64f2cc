import Foundation
import SwiftASN1
import TestKit
import Testing
import X509

@testable import PKI

/// Each rule of the lint, broken once by a template made for it.
struct CertificateLintTests {
    /// What a fault changes; the rest is as the profile says.
    struct Parts {
        var serialNumber: Certificate.SerialNumber
        var publicKey: Certificate.PublicKey
        var notBefore: Date
        var notAfter: Date
        var subject: DistinguishedName
        var extensions: [Certificate.Extension]

        /// Puts `value` in place of the extension of its kind.
        mutating func replace(_ value: Certificate.Extension) {
            extensions.removeAll { $0.oid == value.oid }
            extensions.append(value)
        }

        mutating func remove(_ identifier: ASN1ObjectIdentifier) { extensions.removeAll { $0.oid == identifier } }
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let name: String
        let rule: String
        let change: @Sendable (inout Parts, TestFleet) throws -> Void
        var testDescription: String { "\(rule): \(name)" }

        init(_ rule: String, _ name: String, _ change: @escaping @Sendable (inout Parts, TestFleet) throws -> Void) {
            self.rule = rule
            self.name = name
            self.change = change
        }
    }

    static let faults: [Fault] = [
        Fault("X-02", "a serial number of 21 octets") { parts, _ in
            parts.serialNumber = .init(bytes: [1] + [UInt8](repeating: 2, count: 20))
        },
        Fault("X-02", "a serial number of seven octets") { parts, _ in
            parts.serialNumber = .init(bytes: [1, 2, 3, 4, 5, 6, 7])
        },
        Fault("X-02", "a serial number whose first bit makes it negative") { parts, _ in
            parts.serialNumber = .init(bytes: [UInt8](repeating: 0x80, count: 20))
        },
        Fault("X-02", "the serial number 0") { parts, _ in
            parts.serialNumber = .init(bytes: [UInt8](repeating: 0, count: 8))
        },
        Fault("X-05", "an end before the beginning") { parts, _ in parts.notAfter = parts.notBefore },
        Fault("X-05", "an end after the issuer's") { parts, world in
            parts.notAfter = world.issuing.certificate.notValidAfter.addingTimeInterval(1)
        },
        Fault("X-05", "a beginning before the issuer's") { parts, world in
            parts.notBefore = world.issuing.certificate.notValidBefore.addingTimeInterval(-1)
        },
        Fault("X-05", "a longer life than the profile's") { parts, _ in parts.notAfter.addTimeInterval(2) },
        Fault("X-04", "half a second") { parts, _ in parts.notAfter.addTimeInterval(-0.5) },
        Fault("X-10", "another device's subject") { parts, world in
            parts.subject = try world.names("meter-2").subject(world.profile)
        },
        Fault("X-10", "an empty subject") { parts, _ in parts.subject = .empty },
        Fault("C-04", "the issuer's key") { parts, world in parts.publicKey = world.issuing.certificate.publicKey },
        Fault("C-04", "the root's key") { parts, world in parts.publicKey = world.root.certificate.publicKey },
        Fault("K-02", "a key that the profile does not take") { parts, _ in
            parts.publicKey = try DeviceKey.make(.p384).publicKey
        },
        Fault("X-14", "an extension that stands for a CA") { parts, _ in
            parts.extensions.append(
                try Certificate.Extension(BasicConstraints.isCertificateAuthority(maxPathLength: nil), critical: true)
            )
        },
        Fault("X-14", "an extension of no known kind") { parts, _ in
            parts.extensions.append(
                Certificate.Extension(oid: [1, 3, 6, 1, 4, 1, 99999], critical: false, value: [5, 0])
            )
        },
        Fault("X-09", "a purpose that is no DER") { parts, _ in
            parts.replace(Certificate.Extension(oid: .X509ExtensionID.extendedKeyUsage, critical: false, value: [0x30]))
        },
        Fault("X-07", "no keyUsage") { parts, _ in parts.remove(.X509ExtensionID.keyUsage) },
        Fault("X-07", "keyUsage that is not critical") { parts, _ in
            parts.replace(try Certificate.Extension(KeyUsage(digitalSignature: true), critical: false))
        },
        Fault("X-07", "keyCertSign") { parts, _ in
            parts.replace(
                try Certificate.Extension(KeyUsage(digitalSignature: true, keyCertSign: true), critical: true)
            )
        },
        Fault("X-07", "keyEncipherment for a key that cannot encipher") { parts, _ in
            parts.replace(
                try Certificate.Extension(KeyUsage(digitalSignature: true, keyEncipherment: true), critical: true)
            )
        },
        Fault("X-09", "serverAuth") { parts, _ in
            parts.replace(try Certificate.Extension(ExtendedKeyUsage([.clientAuth, .serverAuth]), critical: false))
        },
        Fault("X-09", "any purpose") { parts, _ in
            parts.replace(try Certificate.Extension(ExtendedKeyUsage([.any]), critical: false))
        },
        Fault("X-09", "no purpose") { parts, _ in parts.remove(.X509ExtensionID.extendedKeyUsage) },
        Fault("X-06", "another CA's authorityKeyIdentifier") { parts, world in
            let other = try world.root.certificate.extensions.subjectKeyIdentifier
            parts.replace(
                try Certificate.Extension(
                    AuthorityKeyIdentifier(keyIdentifier: other?.keyIdentifier),
                    critical: false
                )
            )
        },
        Fault("X-06", "an authorityKeyIdentifier with issuer and serial number") { parts, world in
            parts.replace(
                try Certificate.Extension(
                    AuthorityKeyIdentifier(
                        keyIdentifier: world.issuer.subjectKeyIdentifier,
                        authorityCertIssuer: [.directoryName(world.root.certificate.subject)],
                        authorityCertSerialNumber: world.issuing.certificate.serialNumber
                    ),
                    critical: false
                )
            )
        },
        Fault("X-06", "no authorityKeyIdentifier") { parts, _ in parts.remove(.X509ExtensionID.authorityKeyIdentifier)
        },
        Fault("X-06", "another key's subjectKeyIdentifier") { parts, _ in
            parts.replace(
                try Certificate.Extension(
                    PublicKeyInfo.subjectKeyIdentifier(of: DeviceKey.make().publicKey),
                    critical: false
                )
            )
        },
        Fault("X-11", "a DNS name beside the SPIFFE id") { parts, world in
            let names = try world.names("meter-1")
            parts.replace(
                try Certificate.Extension(
                    SubjectAlternativeNames([
                        .uniformResourceIdentifier(names.spiffeID(world.profile)), .dnsName("meter-1.example"),
                    ]),
                    critical: false
                )
            )
        },
        Fault("X-11", "no alternative name") { parts, _ in parts.remove(.X509ExtensionID.subjectAlternativeName) },
    ]

    @Test(arguments: faults)
    func `a template with one fault is found out by its rule`(_ fault: Fault) throws {
        let world = try TestFleet(keyPolicy: KeyPolicy(families: [.p256]))
        let names = try world.names("meter-1")
        let key = try DeviceKey.make().publicKey
        let sound = try CertificateTemplate(
            names: names,
            publicKey: key,
            profile: world.profile,
            issuer: world.issuer,
            now: TestClock.start.addingTimeInterval(.day)
        )
        var parts = Parts(
            serialNumber: sound.serialNumber,
            publicKey: key,
            notBefore: sound.notBefore,
            notAfter: sound.notAfter,
            subject: sound.subject,
            extensions: Array(sound.extensions)
        )
        func lint() -> LintFinding? {
            do {
                let template = CertificateTemplate(
                    serialNumber: parts.serialNumber,
                    key: try #require(PublicKeyFacts(parts.publicKey)),
                    notBefore: parts.notBefore,
                    notAfter: parts.notAfter,
                    subject: parts.subject,
                    extensions: try Certificate.Extensions(parts.extensions)
                )
                _ = try CertificateLint.lint(template, names: names, profile: world.profile, issuer: world.issuer)
                return nil
            } catch {
                return error as? LintFinding
            }
        }
        #expect(lint() == nil)
        try fault.change(&parts, world)
        #expect(lint()?.rule == fault.rule)
    }

    @Test func `RSA keys may encipher keys by profile alone (X-07)`() throws {
        let world = try TestFleet()
        let names = try world.names("meter-1")
        let key = try DeviceKey.make(.rsa2048).publicKey
        let enciphering = try CertificateProfile(
            organization: "Example Works",
            trustDomain: "fleet.example",
            rsaKeyEncipherment: true
        )
        let template = try CertificateTemplate(
            names: names,
            publicKey: key,
            profile: enciphering,
            issuer: world.issuer,
            now: TestClock.start
        )
        #expect(try template.extensions.keyUsage == KeyUsage(digitalSignature: true, keyEncipherment: true))
        _ = try CertificateLint.lint(template, names: names, profile: enciphering, issuer: world.issuer)
        #expect(throws: LintFinding.self) {
            _ = try CertificateLint.lint(template, names: names, profile: world.profile, issuer: world.issuer)
        }
    }

    @Test func `a common name may have 64 characters, which the longest names just reach (X-10)`() throws {
        let world = try TestFleet(name: String(repeating: "f", count: 23))
        let device = String(repeating: "D", count: 40)
        #expect(try world.names(device).commonName.count == 64)
        #expect(throws: Never.self) { try world.certificate(for: device, key: DeviceKey.make().publicKey) }
    }
}
