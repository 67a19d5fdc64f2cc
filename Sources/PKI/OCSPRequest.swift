import SwiftASN1

/// A question to an OCSP responder (RFC 6960 section 4.1), as it came: anyone may have made it. Its signature and its
/// sender's name do not count (RFC 9919 section 3.1.2 lets neither be asked for), so they are not looked at.
package struct OCSPRequest: Hashable, Sendable {
    /// The most octets of a request.
    package static let octetsMax = 16 * 1024
    /// The most certificates of one request.
    package static let certificatesMax = 32
    /// The octets that a nonce may have (RFC 9654 section 2.1).
    package static let nonceOctets = 1...128
    /// id-pkix-ocsp-nonce (RFC 9654 section 2.1).
    static let nonceExtension: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 48, 1, 2]
    /// The most extensions of a request, and of each certificate in it.
    private static let extensionsMax = 16

    /// A certificate as requests name it: CertID of RFC 6960 section 4.1.1.
    package struct CertificateID: Hashable, Sendable {
        /// How the issuer's name and key are hashed.
        let hash: IssuerHash?
        let nameHash: [UInt8]
        let keyHash: [UInt8]
        /// Big-endian, without the octet that keeps it positive.
        package let serialNumber: [UInt8]
        /// DER, as it came: an answer repeats it.
        package let der: [UInt8]
    }

    /// The hashes that issuers are known by here (O-03).
    enum IssuerHash: CaseIterable, Hashable, Sendable {
        case sha1, sha256

        var oid: ASN1ObjectIdentifier {
            switch self {
            case .sha1: [1, 3, 14, 3, 2, 26]
            case .sha256: [2, 16, 840, 1, 101, 3, 4, 2, 1]
            }
        }
    }

    /// One to `certificatesMax`, in the order of the request.
    package let certificates: [CertificateID]
    /// Nil if it has none.
    package let nonce: [UInt8]?

    /// Reads DER, strictly.
    package init(der: [UInt8]) throws(OCSPRequestDefect) {
        guard der.count <= Self.octetsMax else { throw .tooLarge(max: Self.octetsMax) }
        do {
            self = try DER.sequence(DER.parse(der), identifier: .sequence) { nodes in
                guard let content = nodes.next() else { throw OCSPRequestDefect.malformed("it is empty") }
                let request = try Self(content)
                _ = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) { $0 }
                return request
            }
        } catch let defect as OCSPRequestDefect {
            throw defect
        } catch {
            throw .malformed("it is not a DER OCSPRequest")
        }
    }

    /// TBSRequest.
    private init(_ content: ASN1Node) throws {
        (certificates, nonce) = try DER.sequence(content, identifier: .sequence) { nodes in
            let version = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) {
                try Int(derEncoded: $0)
            }
            guard version == nil else { throw OCSPRequestDefect.malformed("its version is not 1") }
            _ = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 1, tagClass: .contextSpecific) { $0 }
            guard let list = nodes.next() else { throw OCSPRequestDefect.malformed("it names no certificate") }
            let certificates = try Self.certificates(list)
            let nonce = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 2, tagClass: .contextSpecific) {
                try Self.nonce(in: $0)
            }
            return (certificates, nonce ?? nil)
        }
    }

    private static func certificates(_ list: ASN1Node) throws -> [CertificateID] {
        try DER.sequence(list, identifier: .sequence) { nodes in
            var found: [CertificateID] = []
            while let node = nodes.next() {
                guard found.count < certificatesMax else { throw OCSPRequestDefect.tooMany(max: certificatesMax) }
                found.append(
                    try DER.sequence(node, identifier: .sequence) { nodes in
                        guard let certificate = nodes.next() else {
                            throw OCSPRequestDefect.malformed("a certificate of it has no CertID")
                        }
                        _ = try DER.optionalExplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) {
                            try extensions($0)
                        }
                        return try CertificateID(certificate)
                    }
                )
            }
            guard !found.isEmpty else { throw OCSPRequestDefect.malformed("it names no certificate") }
            return found
        }
    }

    /// The nonce among the request's extensions.
    private static func nonce(in node: ASN1Node) throws -> [UInt8]? {
        guard let value = try extensions(node) else { return nil }
        let nonce = try ASN1OctetString(derEncoded: Array(value))
        guard nonceOctets.contains(nonce.bytes.count) else {
            throw OCSPRequestDefect.malformed("its nonce has not 1 to \(nonceOctets.upperBound) octets")
        }
        return Array(nonce.bytes)
    }

    /// The value of the nonce among these extensions. One that is critical and unknown is refused: its sender would take
    /// the answer for more than it is.
    private static func extensions(_ node: ASN1Node) throws -> ArraySlice<UInt8>? {
        try DER.sequence(node, identifier: .sequence) { nodes in
            var seen: [ASN1ObjectIdentifier: ArraySlice<UInt8>] = [:]
            while let node = nodes.next() {
                let (oid, isCritical, value) = try DER.sequence(node, identifier: .sequence) { nodes in
                    let oid = try ASN1ObjectIdentifier(derEncoded: &nodes)
                    let isCritical = try DER.decodeDefault(&nodes, defaultValue: false)
                    return (oid, isCritical, try ASN1OctetString(derEncoded: &nodes).bytes)
                }
                guard seen.updateValue(value, forKey: oid) == nil, seen.count <= extensionsMax else {
                    throw OCSPRequestDefect.malformed("an extension stands twice, or there are too many")
                }
                guard !isCritical || oid == nonceExtension else {
                    throw OCSPRequestDefect.malformed("its extension \(oid) is critical and not known here")
                }
            }
            return seen[nonceExtension]
        }
    }
}

extension OCSPRequest.CertificateID {
    fileprivate init(_ node: ASN1Node) throws {
        let oid: ASN1ObjectIdentifier
        let serial: ArraySlice<UInt8>
        (oid, nameHash, keyHash, serial) = try DER.sequence(node, identifier: .sequence) { nodes in
            guard let algorithm = nodes.next() else { throw OCSPRequestDefect.malformed("a CertID has no hash") }
            let oid = try DER.sequence(algorithm, identifier: .sequence) { nodes in
                let oid = try ASN1ObjectIdentifier(derEncoded: &nodes)
                // The parameters are NULL or absent; they change nothing.
                _ = nodes.next()
                return oid
            }
            let name = try ASN1OctetString(derEncoded: &nodes)
            let key = try ASN1OctetString(derEncoded: &nodes)
            return (oid, Array(name.bytes), Array(key.bytes), try ArraySlice<UInt8>(derEncoded: &nodes))
        }
        hash = OCSPRequest.IssuerHash.allCases.first { $0.oid == oid }
        serialNumber = Array(serial.drop { $0 == 0 })
        der = Array(node.encodedBytes)
    }
}

/// Why a request to an OCSP responder is not answered.
package enum OCSPRequestDefect: Error, Hashable, CustomStringConvertible {
    case tooLarge(max: Int)
    case tooMany(max: Int)
    case malformed(String)

    package var description: String {
        switch self {
        case .tooLarge(let max): "the OCSP request has more than \(max) octets"
        case .tooMany(let max): "the OCSP request names more than \(max) certificates"
        case .malformed(let why): "the OCSP request cannot be read: \(why)"
        }
    }
}
