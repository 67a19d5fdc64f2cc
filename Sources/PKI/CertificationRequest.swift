import Crypto
import DEROctets
import SwiftASN1
package import X509

/// A PKCS#10 certification request (RFC 2986) as it came: well formed and within bounds, but anyone may have made it.
package struct UnverifiedRequest: Sendable {
    /// The most octets of DER that a request may have, whatever is configured.
    package static let octetsMax = 16 * 1024
    /// The most attributes, extensions, names, and subject attributes that a request may have, each, whatever is
    /// configured.
    package static let itemsMax = 64
    /// id-ExtensionReq (RFC 2985 section 5.4.2).
    private static let extensionRequest: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 14]
    /// Of CertificationRequestInfo: version, subject, subjectPKInfo, attributes.
    private static let publicKeyPosition = 2
    private static let attributesPosition = 3

    private let request: CertificateSigningRequest
    /// The SubjectPublicKeyInfo as it stands in the request.
    private let publicKeyInfo: ArraySlice<UInt8>?
    private let names: [GeneralName]
    private let asksForAuthority: Bool

    /// Parses DER, strictly (C-01).
    package init(der: [UInt8], bounds: RequestBounds = .standard) throws(RequestDefect) {
        guard der.count <= bounds.octetsMax else { throw .tooLarge(octets: der.count, max: bounds.octetsMax) }
        let request: CertificateSigningRequest
        do {
            request = try CertificateSigningRequest(derEncoded: der)
        } catch let error as CertificateError where error.code == .unsupportedPublicKeyAlgorithm {
            throw .unsupportedKey
        } catch let error as CertificateError where error.code == .unsupportedSignatureAlgorithm {
            throw .signatureAlgorithm
        } catch is CryptoKitError {
            // The key is of an accepted kind, but is not one: an RSA key under 2,048 bits, a point off its curve.
            throw .unsupportedKey
        } catch let error as ASN1Error {
            throw .malformed("not a DER PKCS#10 request (\(error.code))")
        } catch {
            throw .malformed("not a PKCS#10 request with a supported key and signature")
        }
        guard request.version == .v1 else { throw .malformed("the version is not 0 (RFC 2986 section 4.1)") }
        let parts = DERElements.signed(in: der)
        let types = try Self.attributeTypes(parts)
        guard types.count <= bounds.itemsMax else { throw .tooMany("attributes", max: bounds.itemsMax) }
        guard request.subject.count <= bounds.itemsMax, request.subject.allSatisfy({ (1...4).contains($0.count) })
        else {
            throw .malformed("the subject has too many or empty relative names")
        }
        guard types.count(where: { $0 == Self.extensionRequest }) <= 1 else {
            throw .malformed("there are two extensionRequest attributes")
        }
        self.request = request
        publicKeyInfo = parts.count > Self.publicKeyPosition ? parts[Self.publicKeyPosition].encoded : nil
        (names, asksForAuthority) = try Self.demands(of: request, itemsMax: bounds.itemsMax)
    }

    /// The types of the attributes as they stand in the request (RFC 2986 section 4.1): of several of one type the
    /// library keeps the last alone, so it cannot be asked.
    private static func attributeTypes(_ parts: [DERElements.Element]) throws(RequestDefect) -> [ASN1ObjectIdentifier] {
        guard parts.count > attributesPosition else { return [] }
        var types: [ASN1ObjectIdentifier] = []
        for attribute in DERElements(parts[attributesPosition].content) {
            var values = DERElements(attribute.content)
            guard let type = values.next(), let identifier = try? ASN1ObjectIdentifier(derEncoded: Array(type.encoded))
            else { throw .malformed("an attribute has no type") }
            types.append(identifier)
        }
        return types
    }

    /// The names and powers that the request asks for in its extensionRequest.
    private static func demands(
        of request: CertificateSigningRequest,
        itemsMax: Int
    ) throws(RequestDefect) -> ([GeneralName], Bool) {
        do {
            guard let extensions = try request.attributes.extensionRequest?.extensions else { return ([], false) }
            guard extensions.count <= itemsMax else { throw RequestDefect.tooMany("extensions", max: itemsMax) }
            let names = try extensions.subjectAlternativeNames.map { Array($0) } ?? []
            guard names.count <= itemsMax else { throw RequestDefect.tooMany("names", max: itemsMax) }
            var asksForAuthority = false
            if case .isCertificateAuthority? = try extensions.basicConstraints { asksForAuthority = true }
            if let usage = try extensions.keyUsage, usage.keyCertSign || usage.cRLSign { asksForAuthority = true }
            return (names, asksForAuthority)
        } catch let defect as RequestDefect {
            throw defect
        } catch {
            throw .malformed("an extension in the extensionRequest is not valid DER or stands twice")
        }
    }

    /// Checks the key against `policy`, then that the request is signed by the key it holds (RFC 2986 section 4.2,
    /// EST-28). The key comes first: a signature under a key that is refused anyway is not worth computing (TLS-13).
    package func verified(_ policy: KeyPolicy) throws(RequestDefect) -> VerifiedRequest {
        guard request.signatureAlgorithm != .sha1WithRSAEncryption else { throw .signatureAlgorithm }
        if let defect = policy.defect(of: request.publicKey) { throw .key(defect) }
        guard request.publicKey.isValidSignature(request.signature, for: request) else { throw .signature }
        guard let facts = PublicKeyFacts(request.publicKey, standing: publicKeyInfo) else { throw .unsupportedKey }
        return VerifiedRequest(
            subject: request.subject,
            publicKey: request.publicKey,
            publicKeyFacts: facts,
            names: names,
            asksForAuthority: asksForAuthority
        )
    }
}

/// A request whose sender has proved to hold its private key. What it asks for is compared, never copied.
package struct VerifiedRequest: Sendable {
    /// The subject asked for.
    package let subject: DistinguishedName
    package let publicKey: Certificate.PublicKey
    package let publicKeyFacts: PublicKeyFacts
    /// The subject alternative names asked for.
    package let names: [GeneralName]
    /// True if it asks to be a CA (basicConstraints, keyCertSign or cRLSign).
    package let asksForAuthority: Bool

    /// SHA-256 of the SubjectPublicKeyInfo.
    package var publicKeySHA256: [UInt8] { publicKeyFacts.sha256 }

    fileprivate init(
        subject: DistinguishedName,
        publicKey: Certificate.PublicKey,
        publicKeyFacts: PublicKeyFacts,
        names: [GeneralName],
        asksForAuthority: Bool
    ) {
        self.subject = subject
        self.publicKey = publicKey
        self.publicKeyFacts = publicKeyFacts
        self.names = names
        self.asksForAuthority = asksForAuthority
    }
}

/// What is wrong with a certification request.
package enum RequestDefect: Error, Hashable, CustomStringConvertible {
    case tooLarge(octets: Int, max: Int)
    case tooMany(String, max: Int)
    case malformed(String)
    case unsupportedKey
    case signatureAlgorithm
    case signature
    case key(KeyDefect)

    package var description: String {
        switch self {
        case .tooLarge(let octets, let max): "the request has \(octets) octets; at most \(max) are accepted"
        case .tooMany(let what, let max): "the request has too many \(what); at most \(max) are accepted"
        case .malformed(let why): "the request cannot be read: \(why)"
        case .unsupportedKey:
            "the request's key is of a kind, size or encoding that is not accepted "
                + "(named curves P-256, P-384, P-521; RSA of 2048 bits or more; Ed25519)"
        case .signatureAlgorithm: "the request is signed with an algorithm that is not accepted (use SHA-256 or better)"
        case .signature: "the request's signature does not verify under the key it holds"
        case .key(let defect): defect.description
        }
    }
}
