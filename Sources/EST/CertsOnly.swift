import DEROctets
import SwiftASN1

/// The certs-only message: a degenerate CMS SignedData that carries certificates and nothing else (RFC 5272
/// section 4.1, RFC 5652 section 5.1, RFC 7030 sections 4.1.3 and 4.2.3).
package enum CertsOnly {
    /// The most certificates in a message.
    package static let certificatesMax = 32
    /// The most octets of a message.
    package static let octetsMax = 64 * 1024

    /// The message that carries `certificates` (DER). They come out in the order of a DER SET OF and each once: the
    /// same set gives the same octets, however it was put together (EST-14).
    package static func encode(_ certificates: [[UInt8]]) throws(CertsOnlyDefect) -> [UInt8] {
        guard !certificates.isEmpty else { throw .noCertificate }
        guard certificates.count <= certificatesMax else { throw .tooMany(max: certificatesMax) }
        guard certificates.allSatisfy(DERElement.isSequence) else { throw .notACertificate }
        let sorted = certificates.sorted { $0.lexicographicallyPrecedes($1) }
        var set: [UInt8] = []
        for (index, certificate) in sorted.enumerated() where index == 0 || sorted[index - 1] != certificate {
            set += certificate
        }
        // SwiftASN1 would write each content first and then move it, octet by octet, to make room for its length.
        var signedData = beforeCertificates
        DERElement.append(DERElement.context0, set, to: &signedData)
        signedData += noSignerInfos
        var content = signedDataType
        DERElement.append(DERElement.context0, DERElement.encoded(DERElement.sequence, signedData), to: &content)
        let message = DERElement.encoded(DERElement.sequence, content)
        guard message.count <= octetsMax else { throw .tooLarge(max: octetsMax) }
        return message
    }

    /// The certificates (DER, in the order of the message) that `message` carries. Strict: version 1, no content, no
    /// signer, no octet more. The certificates themselves are not parsed. CRLs beside them are passed over.
    package static func decode(
        _ message: [UInt8],
        certificatesMax: Int = Self.certificatesMax
    ) throws(CertsOnlyDefect) -> [[UInt8]] {
        guard message.count <= octetsMax else { throw .tooLarge(max: octetsMax) }
        let signedData: ASN1Node
        do {
            signedData = try DER.sequence(DER.parse(message), identifier: .sequence) { nodes in
                guard try ASN1ObjectIdentifier(derEncoded: &nodes) == ESTObjectIdentifier.signedData else {
                    throw CertsOnlyDefect.structure("is not SignedData")
                }
                return try DER.explicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) { $0 }
            }
            return try DER.sequence(signedData, identifier: .sequence) { nodes in
                try certificates(in: &nodes, certificatesMax: certificatesMax)
            }
        } catch let defect as CertsOnlyDefect {
            throw defect
        } catch {
            throw .structure("is not DER of a ContentInfo")
        }
    }

    /// id-signedData.
    private static let signedDataType: [UInt8] = [
        0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02,
    ]
    /// Version 1, no digestAlgorithms, and an encapContentInfo of id-data without content.
    private static let beforeCertificates: [UInt8] = [
        0x02, 0x01, 0x01, 0x31, 0x00,
        0x30, 0x0B, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01,
    ]
    private static let noSignerInfos: [UInt8] = [0x31, 0x00]

    private static let certificatesTag = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
    private static let crlsTag = ASN1Identifier(tagWithNumber: 1, tagClass: .contextSpecific)

    private static func certificates(
        in nodes: inout ASN1NodeCollection.Iterator,
        certificatesMax: Int
    ) throws -> [[UInt8]] {
        guard try Int(derEncoded: &nodes) == 1 else { throw CertsOnlyDefect.structure("is not of version 1") }
        guard let algorithms = nodes.next(), algorithms.identifier == .set else {
            throw CertsOnlyDefect.structure("has no digestAlgorithms")
        }
        guard let content = nodes.next() else { throw CertsOnlyDefect.structure("has no encapContentInfo") }
        try DER.sequence(content, identifier: .sequence) { parts in
            guard try ASN1ObjectIdentifier(derEncoded: &parts) == ESTObjectIdentifier.data, parts.next() == nil
            else { throw CertsOnlyDefect.structure("has content, so it is not certs-only") }
        }
        var found: [[UInt8]] = []
        var next = nodes.next()
        if let node = next, node.identifier == certificatesTag, case .constructed(let members) = node.content {
            for member in members {
                // The other choices of CertificateChoices are obsolete, or attribute certificates.
                guard member.identifier == .sequence else { throw CertsOnlyDefect.notACertificate }
                guard found.count < certificatesMax else { throw CertsOnlyDefect.tooMany(max: certificatesMax) }
                found.append(Array(member.encodedBytes))
            }
            next = nodes.next()
        }
        if let node = next, node.identifier == crlsTag { next = nodes.next() }
        guard let signers = next, signers.identifier == .set, case .constructed(let infos) = signers.content,
            infos.first(where: { _ in true }) == nil
        else { throw CertsOnlyDefect.structure("has signers, so it is not certs-only") }
        guard !found.isEmpty else { throw CertsOnlyDefect.noCertificate }
        return found
    }
}

/// Why a certs-only message cannot be made or read.
package enum CertsOnlyDefect: Error, Hashable, CustomStringConvertible {
    case noCertificate
    case tooMany(max: Int)
    case tooLarge(max: Int)
    case notACertificate
    /// What is wrong with its structure.
    case structure(String)

    package var description: String {
        switch self {
        case .noCertificate: "the certs-only message has no certificate"
        case .tooMany(let max): "the certs-only message has more than \(max) certificates"
        case .tooLarge(let max): "the certs-only message has more than \(max) octets"
        case .notACertificate: "what the certs-only message carries is not an X.509 certificate in DER"
        case .structure(let what): "the certs-only message \(what)"
        }
    }
}
