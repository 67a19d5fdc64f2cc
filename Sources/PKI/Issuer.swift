package import Foundation
package import OpenSSL
import SwiftASN1
package import X509

/// An intermediate CA that can sign: its certificate, the CAs above it, and a handle on its private key.
package final class Issuer: Sendable {
    /// 1 to 40 of `a-z0-9-`; stands in URLs.
    package let name: String
    package let certificate: Certificate
    /// DER of `certificate`.
    package let der: [UInt8]
    /// Issuing CA first, root last.
    package let chain: CACertificateChain
    /// The key identifier in its certificate, if there is one.
    let subjectKeyIdentifier: ArraySlice<UInt8>?
    /// How many CRLs its certificates are spread over from now on; those issued before stay where they are.
    package let crlShards: Int
    private let privateKey: PrivateKey
    private let key: SigningKey
    private let encoding: CertificateEncoding

    /// An issuer whose `key` belongs to the first certificate of `chain`.
    package init(
        name: String,
        chain: CACertificateChain,
        key: PrivateKey,
        crlShards: Int = CRLShards.standard
    ) throws(ChainDefect) {
        let signingKey: SigningKey
        do { signingKey = try SigningKey(key) } catch { throw .keyMismatch }
        guard signingKey.publicKey == chain.issuing.publicKey else { throw .keyMismatch }
        guard let subject = CertificateFields(chain.der[0])?.subject else { throw .unreadable(position: 1) }
        self.name = name
        certificate = chain.issuing
        der = chain.der[0]
        self.chain = chain
        subjectKeyIdentifier = (try? chain.issuing.extensions.subjectKeyIdentifier)?.keyIdentifier
        self.crlShards = min(max(crlShards, CRLShards.allowed.lowerBound), CRLShards.allowed.upperBound)
        privateKey = key
        self.key = signingKey
        encoding = CertificateEncoding(issuerName: Array(subject), algorithm: key.algorithm.signatureAlgorithm)
    }

    /// DER of the Name in its certificate, and so of the issuer's in those that it signs.
    var subjectDER: [UInt8] { encoding.issuerName }

    /// The algorithm it signs with.
    package var algorithm: Certificate.SignatureAlgorithm { key.defaultSignatureAlgorithm }

    /// True if a signature takes so little time that others may wait for it.
    package var signsQuickly: Bool { key.isQuick }

    /// Signs what the lint let through; using it up is what makes one lint good for one signature. The signature is
    /// verified before it is handed out.
    package func sign(_ linted: consuming LintedCertificate) throws(SigningError) -> IssuedCertificate {
        let template = linted.redeem()
        let signed: [UInt8]
        let signature: [UInt8]
        do {
            signed = try encoding.toBeSigned(template)
            signature = try key.signature(over: signed)
        } catch let error as SigningError {
            throw error
        } catch {
            throw .failed("\(error)")
        }
        guard certificate.publicKey.isValidSignature(signature, for: signed, signatureAlgorithm: algorithm) else {
            throw .faulty
        }
        return IssuedCertificate(
            der: encoding.certificate(signed, signature: signature),
            serialNumber: Array(template.serialNumber.bytes),
            notBefore: template.notBefore,
            notAfter: template.notAfter,
            crlShard: template.crlShard
        )
    }

    /// Certifies the key of an OCSP responder, which answers for this issuer's certificates.
    /// - Returns: DER; its signature was verified.
    func certifyOCSPResponder(
        _ publicKey: Certificate.PublicKey,
        lifetime: Duration,
        now: Date
    ) throws(SigningError) -> [UInt8] {
        do {
            return try CertificateAuthority.signed(
                commonName: "OCSP responder of \(name)",
                organization: "Muster",
                role: .ocspResponder,
                publicKey: publicKey,
                issuer: der,
                issuerKey: privateKey,
                lifetime: lifetime,
                now: now
            )
        } catch let error as SigningError {
            throw error
        } catch {
            throw .failed("\(error)")
        }
    }

    /// True if its certificate lets it sign CRLs (RFC 5280 section 4.2.1.3) and has the key identifier that they name.
    package var signsCRLs: Bool {
        let usage = try? certificate.extensions.keyUsage
        return usage?.cRLSign == true && subjectKeyIdentifier != nil
    }

    /// Signs a CRL.
    /// - Parameter freshest: URIs of its delta.
    /// - Returns: DER; its signature was verified.
    package func sign(_ list: RevocationList, freshest: [String] = []) throws(SigningError) -> [UInt8] {
        do {
            return try list.signed(issuer: der, key: privateKey, freshest: freshest)
        } catch {
            throw .failed(error.description)
        }
    }
}

/// A certificate that was signed and has not left yet.
package struct IssuedCertificate: Hashable, Sendable {
    package let der: [UInt8]
    package let serialNumber: [UInt8]
    package let notBefore: Date
    package let notAfter: Date
    /// Its CRL among those of its issuer; 0 if its distribution point names none.
    package let crlShard: Int
}
