import Crypto
package import Foundation
import SwiftASN1
import X509

/// What an OCSP responder says of a certificate (RFC 6960 section 2.2).
package enum OCSPStatus: Hashable, Sendable {
    case good
    /// The reason is a code of RFC 5280 section 5.3.1; the time is that of the CRL, to the second.
    case revoked(reason: UInt8, at: Date)
    /// Its issuer never issued it.
    case unknown
}

/// An answer that says nothing of certificates (RFC 6960 section 4.2.1): DER without responseBytes.
package enum OCSPError: UInt8, Hashable, Sendable {
    case malformedRequest = 1
    case internalError = 2
    case tryLater = 3
    case unauthorized = 6

    /// An OCSPResponse.
    package var der: [UInt8] { [0x30, 0x03, 0x0A, 0x01, rawValue] }
}

/// Answers for the certificates of one issuer, with a key of its own that the issuer has certified for nothing else
/// (RFC 6960 section 4.2.2.2). The key lives in this process's memory alone and dies with it.
package struct OCSPResponder: Sendable {
    /// How long its certificate lives: short, since it has no way to be revoked.
    package static let lifetime: Duration = .seconds(7 * 86_400)
    /// id-pkix-ocsp-basic.
    private static let basicResponse: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 48, 1, 1]
    /// AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758 section 3.2).
    private static let signatureAlgorithm: [UInt8] = [
        0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02,
    ]

    /// DER.
    package let certificate: [UInt8]
    /// Big-endian.
    package let serialNumber: [UInt8]
    package let notBefore: Date
    package let notAfter: Date
    private let key: P256.Signing.PrivateKey
    /// SHA-1 of its public key, by which answers name it (RFC 9919 section 3.2.1).
    private let keyHash: [UInt8]
    private let names: [OCSPRequest.IssuerHash: (name: [UInt8], key: [UInt8])]

    /// Makes a key and has `issuer` certify it.
    package init(issuer: Issuer, now: Date) throws(SigningError) {
        do {
            key = P256.Signing.PrivateKey()
            let publicKey = Certificate.PublicKey(key.publicKey)
            certificate = try issuer.certifyOCSPResponder(publicKey, lifetime: Self.lifetime, now: now)
            let parsed = try Certificate(derEncoded: certificate)
            (serialNumber, notBefore, notAfter) = (
                Array(parsed.serialNumber.bytes), parsed.notValidBefore, parsed.notValidAfter
            )
            keyHash = Array(Insecure.SHA1.hash(data: key.publicKey.x963Representation))
            let name = issuer.subjectDER
            let issuerKey = Array(issuer.certificate.publicKey.subjectPublicKeyInfoBytes)
            names = [
                .sha1: (Array(Insecure.SHA1.hash(data: name)), Array(Insecure.SHA1.hash(data: issuerKey))),
                .sha256: (Array(SHA256.hash(data: name)), Array(SHA256.hash(data: issuerKey))),
            ]
        } catch let error as SigningError {
            throw error
        } catch {
            throw .failed("the OCSP responder's certificate: \(error)")
        }
    }

    /// True if the certificate is one of its issuer's.
    package func answers(for certificate: OCSPRequest.CertificateID) -> Bool {
        guard let hash = certificate.hash, let own = names[hash] else { return false }
        return own.name == certificate.nameHash && own.key == certificate.keyHash
    }

    /// Signs an answer.
    /// - Parameters:
    ///   - statuses: One for each certificate of the request, in its order.
    ///   - nonce: That of the request.
    ///   - thisUpdate: To the second; also the time of signing.
    ///   - nextUpdate: To the second; not after the responder's own certificate ends.
    /// - Returns: OCSPResponse, DER; its signature was verified.
    package func sign(
        _ statuses: [(certificate: OCSPRequest.CertificateID, status: OCSPStatus)],
        nonce: [UInt8]?,
        thisUpdate: Date,
        nextUpdate: Date
    ) throws(SigningError) -> [UInt8] {
        do {
            let data = try responseData(statuses, nonce: nonce, thisUpdate: thisUpdate, nextUpdate: nextUpdate)
            let signature = try key.signature(for: data)
            guard key.publicKey.isValidSignature(signature, for: data) else { throw SigningError.faulty }
            var serializer = DER.Serializer()
            try serializer.appendConstructedNode(identifier: .sequence) { basic in
                basic.serializeRawBytes(data)
                basic.serializeRawBytes(Self.signatureAlgorithm)
                try basic.serialize(ASN1BitString(bytes: [UInt8](signature.derRepresentation)[...]))
                basic.appendConstructedNode(identifier: .context(0)) { tagged in
                    tagged.appendConstructedNode(identifier: .sequence) { $0.serializeRawBytes(certificate) }
                }
            }
            let basic = serializer.serializedBytes
            var response = DER.Serializer()
            try response.appendConstructedNode(identifier: .sequence) { response in
                response.appendPrimitiveNode(identifier: .enumerated) { $0.append(0) }
                try response.appendConstructedNode(identifier: .context(0)) { tagged in
                    try tagged.appendConstructedNode(identifier: .sequence) { bytes in
                        try bytes.serialize(Self.basicResponse)
                        try bytes.serialize(ASN1OctetString(contentBytes: basic[...]))
                    }
                }
            }
            return response.serializedBytes
        } catch let error as SigningError {
            throw error
        } catch {
            throw .failed("\(error)")
        }
    }

    /// ResponseData (RFC 6960 section 4.2.1), DER.
    private func responseData(
        _ statuses: [(certificate: OCSPRequest.CertificateID, status: OCSPStatus)],
        nonce: [UInt8]?,
        thisUpdate: Date,
        nextUpdate: Date
    ) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.appendConstructedNode(identifier: .sequence) { data in
            try data.appendConstructedNode(identifier: .context(2)) { id in
                try id.serialize(ASN1OctetString(contentBytes: keyHash[...]))
            }
            data.append(thisUpdate)
            data.appendConstructedNode(identifier: .sequence) { responses in
                for (certificate, status) in statuses {
                    responses.appendConstructedNode(identifier: .sequence) { response in
                        response.serializeRawBytes(certificate.der)
                        response.append(status)
                        response.append(thisUpdate)
                        response.appendConstructedNode(identifier: .context(0)) { $0.append(nextUpdate) }
                    }
                }
            }
            guard let nonce else { return }
            try data.appendConstructedNode(identifier: .context(1)) { tagged in
                try tagged.appendConstructedNode(identifier: .sequence) { extensions in
                    try extensions.appendConstructedNode(identifier: .sequence) { one in
                        try one.serialize(OCSPRequest.nonceExtension)
                        var value = DER.Serializer()
                        try value.serialize(ASN1OctetString(contentBytes: nonce[...]))
                        try one.serialize(ASN1OctetString(contentBytes: value.serializedBytes[...]))
                    }
                }
            }
        }
        return serializer.serializedBytes
    }
}

extension ASN1Identifier {
    fileprivate static func context(_ number: UInt) -> ASN1Identifier {
        ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }
}

extension DER.Serializer {
    /// GeneralizedTime, to the second, UTC (RFC 9919 section 3.2.1).
    fileprivate mutating func append(_ time: Date) {
        let text = time.formatted(.iso8601).utf8.filter { $0 != 0x2D && $0 != 0x3A && $0 != 0x54 }
        appendPrimitiveNode(identifier: .generalizedTime) { $0.append(contentsOf: text) }
    }

    /// CertStatus (RFC 6960 section 4.2.1).
    fileprivate mutating func append(_ status: OCSPStatus) {
        switch status {
        case .good: appendPrimitiveNode(identifier: .context(0)) { _ in }
        case .unknown: appendPrimitiveNode(identifier: .context(2)) { _ in }
        case .revoked(let reason, let at):
            appendConstructedNode(identifier: .context(1)) { revoked in
                revoked.append(at)
                // Unspecified is said by saying nothing, as in CRLs (RFC 5280 section 5.3.1).
                guard reason != 0 else { return }
                revoked.appendConstructedNode(identifier: .context(0)) { tagged in
                    tagged.appendPrimitiveNode(identifier: .enumerated) { $0.append(reason) }
                }
            }
        }
    }
}
