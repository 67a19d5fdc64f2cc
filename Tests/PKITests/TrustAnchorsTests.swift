import CryptoExtras
import Foundation
import OpenSSL
import PKI
import SwiftASN1
import TestKit
import Testing
import X509

/// Judging what clients present (RFC 5280 section 6 and what it leaves to its user).
struct TrustAnchorsTests {
    private static let now = TestClock.start
    private let manufacturer: TestAuthority
    private let anchors: TrustAnchors

    init() throws {
        manufacturer = try TestAuthority.selfSigned("Manufacturer", role: .bootstrapAnchor)
        anchors = TrustAnchors([manufacturer.certificate])
    }

    private enum Verdict: Equatable { case trusted, refused, unknown }

    private func judge(_ leaf: Certificate, _ intermediates: [Certificate] = [], now: Date = Self.now) async -> Verdict
    {
        switch await anchors.judge(leaf: leaf, intermediates: intermediates, now: now) {
        case .trusted: .trusted
        case .refused: .refused
        case .unknown: .unknown
        }
    }

    private func leaf(
        by authority: TestAuthority? = nil,
        _ change: (inout ClientCertificateDraft) throws -> Void = { _ in }
    ) throws -> Certificate {
        var draft = try ClientCertificateDraft(commonName: "Meter", serialNumber: "meter-1")
        try change(&draft)
        return try Certificate(
            derEncoded: draft.signed(by: authority ?? manufacturer, for: DeviceKey.make().publicKey)
        )
    }

    @Test func `a certificate of an anchor is trusted, and the anchor is named`() async throws {
        let leaf = try leaf()
        guard case .trusted(let anchor) = await anchors.judge(leaf: leaf, intermediates: [], now: Self.now) else {
            Issue.record("not trusted")
            return
        }
        #expect(anchor == manufacturer.certificate)
    }

    @Test func `a certificate without expiry, as IDevIDs have it, is trusted (X-04)`() async throws {
        let leaf = try leaf { $0.notAfter = ClientCertificateDraft.noExpiry }
        #expect(await judge(leaf) == .trusted)
        #expect(leaf.notValidAfter == ClientCertificateDraft.noExpiry)
    }

    @Test func `a certificate before or after its time is refused`() async throws {
        let leaf = try leaf()
        #expect(await judge(leaf, now: leaf.notValidAfter) == .trusted)
        #expect(await judge(leaf, now: leaf.notValidAfter.addingTimeInterval(1)) == .refused)
        #expect(await judge(leaf, now: leaf.notValidBefore.addingTimeInterval(-1)) == .refused)
    }

    @Test func `a certificate for other purposes is refused, one without purposes is not`() async throws {
        #expect(await judge(try leaf { $0.purposes = [.serverAuth] }) == .refused)
        #expect(await judge(try leaf { $0.purposes = [.serverAuth, .clientAuth] }) == .trusted)
        #expect(await judge(try leaf { $0.purposes = [.any] }) == .trusted)
        #expect(await judge(try leaf { $0.purposes = nil }) == .trusted)
        #expect(await judge(try leaf { $0.keyUsage = KeyUsage(keyEncipherment: true) }) == .refused)
        #expect(await judge(try leaf { $0.keyUsage = nil }) == .trusted)
    }

    @Test func `an unknown critical extension is not trusted, an uncritical one is let be (V-01)`() async throws {
        func extended(_ isCritical: Bool) throws -> Certificate {
            try leaf {
                $0.otherExtensions = [
                    Certificate.Extension(oid: [1, 3, 6, 1, 4, 1, 99999], critical: isCritical, value: [5, 0])
                ]
            }
        }
        #expect(await judge(try extended(true)) != .trusted)
        #expect(await judge(try extended(false)) == .trusted)
    }

    @Test func `a chain through a CA that the client sends is trusted, while it is complete and short`() async throws {
        let issuing = try manufacturer.signed("Line 3")
        let leaf = try leaf(by: issuing)
        #expect(await TrustAnchors([manufacturer.certificate]).judges(leaf, now: Self.now) == false)
        #expect(await judge(leaf, [issuing.certificate]) == .trusted)
        let many = [Certificate](repeating: issuing.certificate, count: 8)
        #expect(await judge(leaf, many) == .refused)
    }

    @Test func `a device's certificate is no CA though it signs (V-01)`() async throws {
        let key = try PrivateKey.generate(.ecdsaP256)
        var draft = try ClientCertificateDraft(commonName: "Meter", serialNumber: "meter-1")
        draft.otherExtensions = [
            try Certificate.Extension(BasicConstraints.notCertificateAuthority, critical: true)
        ]
        let device = try TestAuthority(
            key: key,
            der: draft.signed(by: manufacturer, for: CertificateAuthority.publicKey(of: key))
        )
        #expect(await judge(try leaf(by: device), [device.certificate]) != .trusted)
    }

    @Test func `an issuing CA that may have none below it is held to that (V-01)`() async throws {
        let issuing = try manufacturer.signed("Line 3")
        let below = try issuing.signed("Below")
        #expect(await judge(try leaf(by: below), [below.certificate, issuing.certificate]) != .trusted)
    }

    @Test func `an impostor with the anchor's name is not the anchor`() async throws {
        let impostor = try TestAuthority.selfSigned("Manufacturer", role: .bootstrapAnchor)
        #expect(await judge(try leaf(by: impostor)) != .trusted)
        #expect(await judge(try leaf(by: impostor), [impostor.certificate]) != .trusted)
        #expect(await judge(try leaf(by: TestAuthority.selfSigned("Nobody"))) == .unknown)
    }

    @Test func `a certificate signed with SHA-1 is refused (K-05)`() async throws {
        let old = try TestAuthority.selfSigned("Old Manufacturer", role: .bootstrapAnchor, algorithm: .rsa(bits: 2048))
        let key = try _RSA.Signing.PrivateKey(
            pemRepresentation: String(decoding: old.key.pem(passphrase: nil), as: UTF8.self)
        )
        let draft = try ClientCertificateDraft(commonName: "Meter", serialNumber: "meter-1")
        func signed(_ algorithm: Certificate.SignatureAlgorithm) throws -> Certificate {
            try Certificate(
                derEncoded: draft.signed(
                    by: Certificate.PrivateKey(key),
                    named: old.certificate.subject,
                    algorithm: algorithm,
                    for: DeviceKey.make().publicKey
                )
            )
        }
        let anchors = TrustAnchors([old.certificate])
        #expect(await anchors.judges(try signed(.sha256WithRSAEncryption), now: Self.now))
        #expect(await anchors.judges(try signed(.sha1WithRSAEncryption), now: Self.now) == false)
    }

    @Test func `without anchors nobody is known`() async throws {
        #expect(await TrustAnchors([]).judges(try leaf(), now: Self.now) == false)
    }
}

extension TrustAnchors {
    fileprivate func judges(_ leaf: Certificate, now: Date) async -> Bool {
        if case .trusted = await judge(leaf: leaf, intermediates: [], now: now) { true } else { false }
    }
}
