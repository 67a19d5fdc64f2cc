import Crypto
package import Foundation
import SwiftASN1
package import X509

/// A device certificate as it is to be signed, decided by the profile alone.
package struct CertificateTemplate: Sendable {
    package let serialNumber: Certificate.SerialNumber
    /// The key to certify, of a kind that is known, as it stands in the request.
    let key: PublicKeyFacts
    package let notBefore: Date
    package let notAfter: Date
    package let subject: DistinguishedName
    package let extensions: Certificate.Extensions
    /// Its CRL among those of its issuer; 0 if its distribution point names none.
    let crlShard: Int

    /// Builds what `profile` says for a device's key.
    /// - Parameters:
    ///   - now: The time of issue; notBefore is backdated from it, notAfter counted from it, both clamped to the
    ///     issuer's validity.
    ///   - common: The extensions of this profile and issuer, if they are made already.
    package init(
        names: DeviceNames,
        key: PublicKeyFacts,
        profile: CertificateProfile,
        issuer: Issuer,
        now: Date,
        serialNumber: Certificate.SerialNumber? = nil,
        common: ProfileExtensions? = nil
    ) throws(SigningError) {
        self.key = key
        let milliseconds = UInt64(max(0, now.timeIntervalSince1970 * 1000))
        let serialNumber = serialNumber ?? SerialNumber.make(milliseconds: milliseconds)
        self.serialNumber = serialNumber
        let second = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down))
        notBefore = max(second.addingTimeInterval(-profile.backdating.inSeconds), issuer.certificate.notValidBefore)
        notAfter = min(second.addingTimeInterval(profile.lifetime.inSeconds), issuer.certificate.notValidAfter)
        subject = names.subject(profile)
        do {
            let common = try common ?? ProfileExtensions(profile: profile, issuer: issuer)
            crlShard = common.shard(of: serialNumber)
            extensions = try common.extensions(names: names, profile: profile, key: key, crlShard: crlShard)
        } catch let error as SigningError {
            throw error
        } catch {
            throw .failed("the certificate's extensions cannot be encoded: \(error)")
        }
    }

    init(
        serialNumber: Certificate.SerialNumber,
        key: PublicKeyFacts,
        notBefore: Date,
        notAfter: Date,
        subject: DistinguishedName,
        extensions: Certificate.Extensions
    ) {
        self.serialNumber = serialNumber
        self.key = key
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.subject = subject
        self.extensions = extensions
        crlShard = CRLShards.complete
    }
}

/// The extensions that all certificates of a profile and issuer have in common, encoded once.
package struct ProfileExtensions: Sendable {
    private let keyUsage: Certificate.Extension
    private let keyUsageOfRSA: Certificate.Extension
    private let purpose: Certificate.Extension
    private let authority: Certificate.Extension
    private let places: [Certificate.Extension]
    /// The distribution points of each shard, from shard 1: of its list, and of its delta. None if they are the same for
    /// all, and among `places`.
    private let shardPlaces: [[Certificate.Extension]]

    package init(profile: CertificateProfile, issuer: Issuer) throws(SigningError) {
        do {
            keyUsage = try Certificate.Extension(KeyUsage(digitalSignature: true), critical: true)
            keyUsageOfRSA = try Certificate.Extension(
                KeyUsage(digitalSignature: true, keyEncipherment: profile.rsaKeyEncipherment),
                critical: true
            )
            purpose = try Certificate.Extension(ExtendedKeyUsage([.clientAuth]), critical: false)
            authority = try Certificate.Extension(
                // Copied, not recomputed: path builders compare octets.
                AuthorityKeyIdentifier(keyIdentifier: issuer.subjectKeyIdentifier),
                critical: false
            )
            let isSharded = profile.crlURLs.contains(where: CRLShards.isSharded)
            shardPlaces = try (1...issuer.crlShards).filter { _ in isSharded }.map { shard in
                try Self.lists(profile) {
                    .uniformResourceIdentifier(CRLShards.url($0, issuer: issuer.name, shard: shard))
                }
            }
            places = try Self.places(profile, issuer: issuer, isSharded: isSharded)
        } catch {
            throw .failed("the profile's extensions cannot be encoded: \(error)")
        }
    }

    /// The shard of a certificate with this serial number.
    func shard(of serialNumber: Certificate.SerialNumber) -> Int {
        shardPlaces.isEmpty
            ? CRLShards.complete : CRLShards.shard(of: serialNumber.bytes, among: shardPlaces.count)
    }

    /// All extensions of one device's certificate.
    func extensions(
        names: DeviceNames,
        profile: CertificateProfile,
        key: PublicKeyFacts,
        crlShard: Int
    ) throws -> Certificate.Extensions {
        var usage = keyUsage
        if case .rsa = key.kind { usage = keyUsageOfRSA }
        let shardPlace = crlShard == CRLShards.complete ? [] : shardPlaces[crlShard - 1]
        return try Certificate.Extensions(
            [
                usage, purpose, authority,
                Certificate.Extension(key.subjectKeyIdentifier, critical: false),
                Certificate.Extension(
                    SubjectAlternativeNames([.uniformResourceIdentifier(names.spiffeID(profile))]),
                    critical: false
                ),
            ] + places + shardPlace
        )
    }

    /// Where the CRL is, and its delta.
    private static func lists(
        _ profile: CertificateProfile,
        _ expanded: (String) -> GeneralName
    ) throws -> [Certificate.Extension] {
        try [
            (CRLDistributionPoints.oid, profile.crlURLs), (CRLDistributionPoints.freshestCRL, profile.deltaCRLURLs),
        ].filter { !$0.1.isEmpty }.map { oid, urls in
            try CRLDistributionPoints(urls: urls.map(expanded)).makeExtension(oid)
        }
    }

    /// Where to look for the issuer, its CRL unless that differs from shard to shard, and its OCSP responder.
    private static func places(
        _ profile: CertificateProfile,
        issuer: Issuer,
        isSharded: Bool
    ) throws -> [Certificate.Extension] {
        func expanded(_ url: String) -> GeneralName {
            .uniformResourceIdentifier(url.replacing("{issuer}", with: issuer.name))
        }
        var list: [Certificate.Extension] = []
        if !isSharded { list += try lists(profile, expanded) }
        let access =
            profile.ocspURLs.map {
                AuthorityInformationAccess.AccessDescription(method: .ocspServer, location: expanded($0))
            }
            + profile.issuerURLs.map {
                AuthorityInformationAccess.AccessDescription(method: .issuingCA, location: expanded($0))
            }
        if !access.isEmpty {
            list.append(try Certificate.Extension(AuthorityInformationAccess(access), critical: false))
        }
        return list
    }
}

/// CRLDistributionPoints with one point of full names (RFC 5280 section 4.2.1.13), which swift-certificates lacks.
struct CRLDistributionPoints {
    static let oid: ASN1ObjectIdentifier = [2, 5, 29, 31]
    /// Has the same syntax, and says where the delta is (section 4.2.1.15).
    static let freshestCRL: ASN1ObjectIdentifier = [2, 5, 29, 46]
    let urls: [GeneralName]

    func makeExtension(_ oid: ASN1ObjectIdentifier) throws -> Certificate.Extension {
        let constructed = { (number: UInt) in ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific) }
        var serializer = DER.Serializer()
        try serializer.appendConstructedNode(identifier: .sequence) { points in
            try points.appendConstructedNode(identifier: .sequence) { point in
                try point.appendConstructedNode(identifier: constructed(0)) { name in
                    try name.appendConstructedNode(identifier: constructed(0)) { fullName in
                        for url in urls { try url.serialize(into: &fullName) }
                    }
                }
            }
        }
        // Copied to its size: one for each of a thousand shards is kept, and the serializer's array has room to grow.
        let bytes = serializer.serializedBytes
        var value: [UInt8] = []
        value.reserveCapacity(bytes.count)
        value += bytes
        return Certificate.Extension(oid: oid, critical: false, value: value[...])
    }
}

extension Duration {
    /// Whole and fractional seconds.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
