package import Foundation
import SwiftASN1
package import X509

/// A chain of CA certificates, issuing CA first, root last, that passed the lint of an import: complete, in order, at
/// most four, each fit to issue, signed with SHA-256 or better (what AWS API Gateway's mutual TLS asks for, too).
package struct CACertificateChain: Hashable, Sendable {
    /// The most CAs in a chain.
    package static let countMax = 4
    package let certificates: [Certificate]
    /// DER of each, in the same order.
    package let der: [[UInt8]]
    /// SHA-256 of the SubjectPublicKeyInfo of each.
    package let keys: Set<[UInt8]>

    package var issuing: Certificate { certificates[0] }
    package var root: Certificate { certificates[certificates.count - 1] }

    /// Lints DER certificates at the time `now`.
    package init(der: [[UInt8]], now: Date) throws(ChainDefect) {
        guard !der.isEmpty else { throw .empty }
        guard der.count <= Self.countMax else { throw .tooMany(count: der.count, max: Self.countMax) }
        var certificates: [Certificate] = []
        for (index, bytes) in der.enumerated() {
            do {
                certificates.append(try Certificate(derEncoded: bytes))
            } catch {
                throw .unreadable(position: index + 1)
            }
        }
        try self.init(certificates: certificates, der: der, now: now)
    }

    /// Lints the certificates of a PEM file, in the order of the file.
    package init(pem text: String, now: Date) throws(ChainDefect) {
        let documents: [PEMDocument]
        do { documents = try PEMDocument.parseMultiple(pemString: text) } catch { throw .notPEM }
        let certificates = documents.filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
        try self.init(der: certificates.map { [UInt8]($0.derBytes) }, now: now)
    }

    private init(certificates: [Certificate], der: [[UInt8]], now: Date) throws(ChainDefect) {
        for (index, certificate) in certificates.enumerated() {
            let name = "\(certificate.subject)"
            try Self.lint(certificate, name: name, authoritiesBelow: index, now: now)
            guard index + 1 < certificates.count else { break }
            let above = certificates[index + 1]
            guard certificate.issuer == above.subject else {
                throw .outOfOrder(name: name, issuer: "\(certificate.issuer)")
            }
            guard above.publicKey.isValidSignature(certificate.signature, for: certificate) else {
                throw .signature(name: name)
            }
            guard certificate.subject != above.subject else { throw .repeated(name: name) }
        }
        let root = certificates[certificates.count - 1]
        guard root.subject == root.issuer, root.publicKey.isValidSignature(root.signature, for: root) else {
            throw .incomplete(missing: "\(root.issuer)")
        }
        guard Set(certificates.map(\.publicKey)).count == certificates.count else {
            throw .repeated(name: "\(root.subject)")
        }
        self.certificates = certificates
        self.der = der
        keys = Set(certificates.compactMap { try? PublicKeyInfo.sha256(of: $0.publicKey) })
    }

    private static func lint(
        _ certificate: Certificate,
        name: String,
        authoritiesBelow: Int,
        now: Date
    ) throws(ChainDefect) {
        guard certificate.version == .v3 else { throw .notAuthority(name: name, why: "it is not version 3") }
        do {
            guard case .isCertificateAuthority(let pathLength)? = try certificate.extensions.basicConstraints else {
                throw ChainDefect.notAuthority(name: name, why: "basicConstraints does not say CA:TRUE")
            }
            guard certificate.extensions[oid: .X509ExtensionID.basicConstraints]?.critical == true else {
                throw ChainDefect.notAuthority(name: name, why: "basicConstraints is not critical")
            }
            if let pathLength, pathLength < authoritiesBelow {
                throw ChainDefect.notAuthority(name: name, why: "its pathLenConstraint \(pathLength) is too small")
            }
            guard let usage = try certificate.extensions.keyUsage, usage.keyCertSign, usage.cRLSign else {
                throw ChainDefect.notAuthority(name: name, why: "keyUsage lacks keyCertSign or cRLSign")
            }
            guard try certificate.extensions.subjectKeyIdentifier != nil else {
                throw ChainDefect.notAuthority(name: name, why: "it has no subjectKeyIdentifier (RFC 5280 4.2.1.2)")
            }
        } catch let defect as ChainDefect {
            throw defect
        } catch {
            throw .notAuthority(name: name, why: "an extension cannot be decoded")
        }
        guard certificate.signatureAlgorithm != .sha1WithRSAEncryption else { throw .weakSignature(name: name) }
        if let defect = KeyPolicy().defect(of: certificate.publicKey) { throw .key(name: name, defect) }
        guard now >= certificate.notValidBefore else {
            throw .notYetValid(name: name, since: certificate.notValidBefore)
        }
        guard now <= certificate.notValidAfter else { throw .expired(name: name, at: certificate.notValidAfter) }
    }

    /// PEM of all of them, issuing CA first, root last: a `truststore.pem`.
    package var pem: String {
        der.map { PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: $0).pemString + "\n" }.joined()
    }
}

/// What is wrong with a chain of CA certificates.
package enum ChainDefect: Error, Hashable, CustomStringConvertible {
    case empty
    case notPEM
    case tooMany(count: Int, max: Int)
    case unreadable(position: Int)
    case outOfOrder(name: String, issuer: String)
    case signature(name: String)
    case incomplete(missing: String)
    case repeated(name: String)
    case notAuthority(name: String, why: String)
    case weakSignature(name: String)
    case key(name: String, KeyDefect)
    case notYetValid(name: String, since: Date)
    case expired(name: String, at: Date)
    case keyMismatch

    package var description: String {
        switch self {
        case .empty: "there is no certificate in it; give the issuing CA first, then each CA above it, the root last"
        case .notPEM: "it is not PEM; each certificate must stand between BEGIN CERTIFICATE and END CERTIFICATE"
        case .tooMany(let count, let max): "it has \(count) certificates; a chain has at most \(max)"
        case .unreadable(let position):
            "certificate \(position) is not DER X.509, or has a key or signature of a kind that is not supported"
        case .outOfOrder(let name, let issuer):
            "\(name) is not followed by its issuer \(issuer); order the file issuing CA first, root last"
        case .signature(let name): "the signature of \(name) does not verify under the certificate that follows it"
        case .incomplete(let missing): "the chain ends before a root: \(missing) is missing"
        case .repeated(let name): "\(name) or its key stands twice"
        case .notAuthority(let name, let why): "\(name) cannot issue: \(why)"
        case .weakSignature(let name): "\(name) is signed with SHA-1; SHA-256 or better is needed"
        case .key(let name, let defect): "\(name): \(defect)"
        case .notYetValid(let name, let since): "\(name) is valid only from \(since)"
        case .expired(let name, let at): "\(name) expired at \(at)"
        case .keyMismatch: "the private key does not belong to the issuing CA's certificate"
        }
    }
}
