import CryptoExtras
import Foundation
import OpenSSL
import PKI
import SwiftASN1
import TestKit
import Testing
import X509

struct CACertificateChainTests {
    private static let now = TestClock.start

    private func defect(_ der: [[UInt8]], now: Date = Self.now) -> ChainDefect? {
        do throws(ChainDefect) {
            _ = try CACertificateChain(der: der, now: now)
            return nil
        } catch {
            return error
        }
    }

    /// A CA certificate with one fault; self-signed unless there is an issuer.
    private func authority(
        _ name: String = "Faulty CA",
        by issuer: TestAuthority? = nil,
        constraints: BasicConstraints? = .isCertificateAuthority(maxPathLength: nil),
        isCritical: Bool = true,
        usage: KeyUsage? = KeyUsage(keyCertSign: true, cRLSign: true),
        hasIdentifier: Bool = true
    ) throws -> TestAuthority {
        let key = try PrivateKey.generate(.ecdsaP256)
        let publicKey = try CertificateAuthority.publicKey(of: key)
        var draft = try ClientCertificateDraft(commonName: name)
        draft.keyUsage = usage
        draft.purposes = nil
        if let constraints {
            draft.otherExtensions.append(try Certificate.Extension(constraints, critical: isCritical))
        }
        if hasIdentifier {
            draft.otherExtensions.append(
                try Certificate.Extension(PublicKeyInfo.subjectKeyIdentifier(of: publicKey), critical: false)
            )
        }
        let signer = try SigningKey(issuer?.key ?? key)
        return try TestAuthority(
            key: key,
            der: draft.signed(
                by: Certificate.PrivateKey(signer),
                named: issuer?.certificate.subject ?? draft.subject,
                algorithm: signer.defaultSignatureAlgorithm,
                for: publicKey
            )
        )
    }

    private func isNotAuthority(_ der: [[UInt8]]) -> Bool {
        if case .notAuthority = defect(der) { true } else { false }
    }

    @Test func `a complete chain in order is taken, in DER and in PEM, and comes back as PEM`() throws {
        let root = try TestAuthority.selfSigned("Root")
        let issuing = try root.signed("Issuing")
        let chain = try CACertificateChain(der: [issuing.der, root.der], now: Self.now)
        #expect(chain.issuing == issuing.certificate)
        #expect(chain.root == root.certificate)
        let again = try CACertificateChain(pem: chain.pem, now: Self.now)
        #expect(again == chain)
        // What stands between the certificates of a file, and a key that was left in it, is passed over.
        #expect(try CACertificateChain(pem: "subject=Issuing\n" + chain.pem, now: Self.now) == chain)
        #expect(defect([root.der]) == nil)
    }

    @Test func `nothing, too many, no PEM and no certificate are told apart`() throws {
        #expect(defect([]) == .empty)
        #expect(defect([[UInt8]](repeating: [], count: 5)) == .tooMany(count: 5, max: 4))
        #expect(defect([[0x30, 0x00]]) == .unreadable(position: 1))
        #expect(throws: ChainDefect.empty) { try CACertificateChain(pem: "", now: Self.now) }
        #expect(throws: ChainDefect.notPEM) {
            try CACertificateChain(pem: "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n", now: Self.now)
        }
    }

    @Test func `order, completeness and signatures are checked`() throws {
        let root = try TestAuthority.selfSigned("Root")
        let issuing = try root.signed("Issuing")
        if case .outOfOrder = defect([root.der, issuing.der]) {} else { Issue.record("the wrong order was taken") }
        if case .incomplete = defect([issuing.der]) {} else { Issue.record("a chain without root was taken") }
        if case .outOfOrder = defect([issuing.der, try TestAuthority.selfSigned("Other").der]) {
        } else {
            Issue.record("a stranger's root was taken")
        }
        // A root of the same name with another key.
        if case .signature = defect([issuing.der, try TestAuthority.selfSigned("Root").der]) {
        } else {
            Issue.record("an impostor was taken")
        }
        if case .repeated = defect([root.der, root.der]) {} else { Issue.record("a root twice was taken") }
    }

    @Test func `each certificate must be a CA's`() throws {
        let root = try TestAuthority.selfSigned("Root")
        #expect(isNotAuthority([try authority(constraints: nil).der]))
        #expect(isNotAuthority([try authority(constraints: .notCertificateAuthority).der]))
        #expect(isNotAuthority([try authority(isCritical: false).der]))
        #expect(isNotAuthority([try authority(usage: nil).der]))
        #expect(isNotAuthority([try authority(usage: KeyUsage(keyCertSign: true)).der]))
        #expect(isNotAuthority([try authority(usage: KeyUsage(digitalSignature: true, cRLSign: true)).der]))
        #expect(isNotAuthority([try authority(hasIdentifier: false).der]))
        #expect(isNotAuthority([try authority(by: root, constraints: .notCertificateAuthority).der, root.der]))
        #expect(defect([try authority(by: root).der, root.der]) == nil)
    }

    @Test func `a pathLenConstraint must leave room for the CAs below`() throws {
        let root = try authority("Root", constraints: .isCertificateAuthority(maxPathLength: 0))
        #expect(isNotAuthority([try authority(by: root).der, root.der]))
        let roomy = try authority("Root", constraints: .isCertificateAuthority(maxPathLength: 1))
        #expect(defect([try authority(by: roomy).der, roomy.der]) == nil)
    }

    @Test func `a chain is taken only while every certificate in it is valid`() throws {
        let root = try TestAuthority.selfSigned("Root")
        let issuing = try root.signed("Issuing", lifetime: .seconds(86_400))
        let chain = [issuing.der, root.der]
        #expect(defect(chain, now: Self.now.addingTimeInterval(.day)) == nil)
        if case .expired = defect(chain, now: Self.now.addingTimeInterval(.day + 1)) {} else { Issue.record("expired") }
        if case .notYetValid = defect(chain, now: Self.now.addingTimeInterval(-3_601)) {} else { Issue.record("early") }
    }

    @Test func `a certificate signed with SHA-1 is refused (K-05)`() throws {
        let key = Certificate.PrivateKey(try _RSA.Signing.PrivateKey(keySize: .bits2048))
        var draft = try ClientCertificateDraft(commonName: "Old Root")
        draft.keyUsage = KeyUsage(keyCertSign: true, cRLSign: true)
        draft.purposes = nil
        draft.otherExtensions = [
            try Certificate.Extension(BasicConstraints.isCertificateAuthority(maxPathLength: nil), critical: true),
            try Certificate.Extension(PublicKeyInfo.subjectKeyIdentifier(of: key.publicKey), critical: false),
        ]
        let der = try draft.signed(by: key, named: draft.subject, algorithm: .sha1WithRSAEncryption, for: key.publicKey)
        if case .weakSignature = defect([der]) {} else { Issue.record("SHA-1 was taken") }
    }
}

struct TrustStoreTests {
    @Test func `issuing CAs come first and roots last, each certificate once`() throws {
        let (one, two) = (try TestAuthority.selfSigned("Root 1"), try TestAuthority.selfSigned("Root 2"))
        let (a, b) = (try one.signed("Issuing A"), try one.signed("Issuing B"))
        let c = try two.signed("Issuing C")
        let store = try TrustStore(chains: [a.chain(one), b.chain(one), c.chain(two)])
        #expect(store.der == [a.der, b.der, c.der, one.der, two.der])
        #expect(store.pem.components(separatedBy: "BEGIN CERTIFICATE").count == 6)
    }

    @Test func `a store without root, with too many certificates, or with two keys of one name cannot be`() throws {
        #expect(throws: TrustStoreDefect.noRoot) { try TrustStore(chains: []) }
        let root = try TestAuthority.selfSigned("Root")
        let chains = try (1...16).map { try root.signed("Issuing \($0)").chain(root) }
        #expect(throws: TrustStoreDefect.tooMany(count: 17, max: 16)) { try TrustStore(chains: chains) }
        #expect(try TrustStore(chains: Array(chains.dropLast())).certificates.count == 16)
        let impostor = try TestAuthority.selfSigned("Root")
        #expect(throws: TrustStoreDefect.self) {
            try TrustStore(chains: [CACertificateChain(der: [root.der], now: TestClock.start), impostor.chain()])
        }
    }
}
