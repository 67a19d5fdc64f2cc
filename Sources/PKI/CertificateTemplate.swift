import Crypto
package import Foundation
import SwiftASN1
package import X509

/// A device certificate as it is to be signed, decided by the profile alone.
package struct CertificateTemplate: Sendable {
    package let serialNumber: Certificate.SerialNumber
    package let publicKey: Certificate.PublicKey
    package let notBefore: Date
    package let notAfter: Date
    package let subject: DistinguishedName
    package let extensions: Certificate.Extensions

    /// Builds what `profile` says for a device's key.
    /// - Parameters:
    ///   - now: The time of issue; notBefore is backdated from it, notAfter counted from it, both clamped to the
    ///     issuer's validity.
    package init(
        names: DeviceNames,
        publicKey: Certificate.PublicKey,
        profile: CertificateProfile,
        issuer: Issuer,
        now: Date,
        serialNumber: Certificate.SerialNumber? = nil
    ) throws(SigningError) {
        let milliseconds = UInt64(max(0, now.timeIntervalSince1970 * 1000))
        self.serialNumber = serialNumber ?? SerialNumber.make(milliseconds: milliseconds)
        self.publicKey = publicKey
        let second = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down))
        notBefore = max(second.addingTimeInterval(-profile.backdating.inSeconds), issuer.certificate.notValidBefore)
        notAfter = min(second.addingTimeInterval(profile.lifetime.inSeconds), issuer.certificate.notValidAfter)
        subject = names.subject(profile)
        do {
            extensions = try Self.extensions(names: names, publicKey: publicKey, profile: profile, issuer: issuer)
        } catch {
            throw .failed("the profile's extensions cannot be encoded: \(error)")
        }
    }

    init(
        serialNumber: Certificate.SerialNumber,
        publicKey: Certificate.PublicKey,
        notBefore: Date,
        notAfter: Date,
        subject: DistinguishedName,
        extensions: Certificate.Extensions
    ) {
        self.serialNumber = serialNumber
        self.publicKey = publicKey
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.subject = subject
        self.extensions = extensions
    }

    private static func extensions(
        names: DeviceNames,
        publicKey: Certificate.PublicKey,
        profile: CertificateProfile,
        issuer: Issuer
    ) throws -> Certificate.Extensions {
        var isRSA = false
        if case .rsa? = PublicKeyInfo.kind(of: publicKey) { isRSA = true }
        var list: [Certificate.Extension] = [
            try Certificate.Extension(
                KeyUsage(digitalSignature: true, keyEncipherment: isRSA && profile.rsaKeyEncipherment),
                critical: true
            ),
            try Certificate.Extension(ExtendedKeyUsage([.clientAuth]), critical: false),
            try Certificate.Extension(
                // Copied, not recomputed: path builders compare octets.
                AuthorityKeyIdentifier(
                    keyIdentifier: issuer.certificate.extensions.subjectKeyIdentifier?.keyIdentifier
                ),
                critical: false
            ),
            try Certificate.Extension(PublicKeyInfo.subjectKeyIdentifier(of: publicKey), critical: false),
            try Certificate.Extension(
                SubjectAlternativeNames([.uniformResourceIdentifier(names.spiffeID(profile))]),
                critical: false
            ),
        ]
        func expanded(_ url: String) -> GeneralName {
            .uniformResourceIdentifier(url.replacing("{issuer}", with: issuer.name))
        }
        if !profile.crlURLs.isEmpty {
            list.append(try CRLDistributionPoints(urls: profile.crlURLs.map(expanded)).makeExtension())
        }
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
        return try Certificate.Extensions(list)
    }
}

/// CRLDistributionPoints with one point of full names (RFC 5280 section 4.2.1.13), which swift-certificates lacks.
struct CRLDistributionPoints {
    static let oid: ASN1ObjectIdentifier = [2, 5, 29, 31]
    let urls: [GeneralName]

    func makeExtension() throws -> Certificate.Extension {
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
        return Certificate.Extension(oid: Self.oid, critical: false, value: serializer.serializedBytes[...])
    }
}

extension Duration {
    /// Whole and fractional seconds.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
