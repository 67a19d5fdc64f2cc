import DEROctets
import Foundation
import SwiftASN1
import X509

/// A template that the lint let through. It can be made by the lint alone, cannot be copied, and is consumed by
/// signing: nothing is signed unseen, and nothing is signed twice on one look.
package struct LintedCertificate: ~Copyable, Sendable {
    let template: CertificateTemplate

    fileprivate init(_ template: CertificateTemplate) { self.template = template }

    consuming func redeem() -> CertificateTemplate { template }
}

/// What the lint found: the rule's id and what is wrong. It means a fault of ours or of the configuration, never of
/// the device.
package struct LintFinding: Error, Hashable, CustomStringConvertible {
    package let rule: String
    package let reason: String
    package var description: String { "\(rule): \(reason)" }
}

/// Judges a device certificate before it is signed. It trusts neither the builder nor the profile: each rule is
/// checked on the template itself, extensions by their octets.
package enum CertificateLint {
    private static let serialOctetsMin = 8
    private static let nameLengthMax = 64
    private static let extensionsAllowed: [ASN1ObjectIdentifier] = [
        .X509ExtensionID.keyUsage, .X509ExtensionID.extendedKeyUsage, .X509ExtensionID.authorityKeyIdentifier,
        .X509ExtensionID.subjectKeyIdentifier, .X509ExtensionID.subjectAlternativeName,
        .X509ExtensionID.authorityInformationAccess, CRLDistributionPoints.oid,
        CRLDistributionPoints.freshestCRL,
    ]

    /// Lets `template` through or throws the first finding.
    package static func lint(
        _ template: CertificateTemplate,
        names: DeviceNames,
        profile: CertificateProfile,
        issuer: Issuer
    ) throws(LintFinding) -> LintedCertificate {
        try serial(template)
        try validity(template, profile: profile, issuer: issuer)
        try subject(template, names: names, profile: profile)
        try key(template, profile: profile, issuer: issuer)
        try extensions(template, names: names, profile: profile, issuer: issuer)
        return LintedCertificate(template)
    }

    /// - Parameter reason: Put into words only if the rule is broken.
    private static func require(
        _ condition: Bool,
        _ rule: String,
        _ reason: @autoclosure () -> String
    ) throws(LintFinding) {
        guard condition else { throw LintFinding(rule: rule, reason: reason()) }
    }

    private static func serial(_ template: CertificateTemplate) throws(LintFinding) {
        let bytes = template.serialNumber.bytes
        try require(bytes.count <= SerialNumber.octets, "X-02", "the serial number is longer than 20 octets")
        try require(bytes.count >= serialOctetsMin, "X-02", "the serial number is shorter than 8 octets")
        try require(
            (bytes.first ?? 0) & 0x80 == 0 && bytes.contains { $0 != 0 },
            "X-02",
            "the serial number is not positive within 20 octets"
        )
    }

    private static func validity(
        _ template: CertificateTemplate,
        profile: CertificateProfile,
        issuer: Issuer
    ) throws(LintFinding) {
        try require(template.notBefore < template.notAfter, "X-05", "notAfter is not after notBefore")
        try require(
            template.notAfter <= issuer.certificate.notValidAfter,
            "X-05",
            "the certificate outlives its issuer"
        )
        try require(
            template.notBefore >= issuer.certificate.notValidBefore,
            "X-05",
            "the certificate begins before its issuer"
        )
        let length = template.notAfter.timeIntervalSince(template.notBefore)
        try require(
            length <= (profile.lifetime + profile.backdating).inSeconds + 1,
            "X-05",
            "the certificate lives longer than its profile allows"
        )
        try require(
            template.notBefore.timeIntervalSince1970.rounded() == template.notBefore.timeIntervalSince1970
                && template.notAfter.timeIntervalSince1970.rounded() == template.notAfter.timeIntervalSince1970,
            "X-04",
            "validity has fractions of a second"
        )
    }

    private static func subject(
        _ template: CertificateTemplate,
        names: DeviceNames,
        profile: CertificateProfile
    ) throws(LintFinding) {
        try require(template.subject == names.subject(profile), "X-10", "the subject is not the device's")
        try require(names.commonName.unicodeScalars.count <= nameLengthMax, "X-10", "the common name is too long")
        try require(template.subject.allSatisfy { $0.count == 1 }, "X-10", "a relative name has not just one attribute")
    }

    private static func key(
        _ template: CertificateTemplate,
        profile: CertificateProfile,
        issuer: Issuer
    ) throws(LintFinding) {
        // The request's verification judged the key's numbers already; here only its kind is asked again.
        let key = template.key
        try require(!issuer.chain.keys.contains(key.sha256), "C-04", "the key is a CA's")
        let family: KeyPolicy.Family =
            switch key.kind {
            case .p256: .p256
            case .p384: .p384
            case .p521: .p521
            case .rsa: .rsa
            case .ed25519: .ed25519
            }
        try require(profile.keyPolicy.families.contains(family), "K-02", "the profile does not accept \(key.kind)")
    }

    private static func extensions(
        _ template: CertificateTemplate,
        names: DeviceNames,
        profile: CertificateProfile,
        issuer: Issuer
    ) throws(LintFinding) {
        let extensions = template.extensions
        for (index, one) in extensions.enumerated() {
            let isFirst = !extensions.prefix(index).contains { $0.oid == one.oid }
            try require(isFirst, "X-14", "extension \(one.oid) stands twice")
            try require(extensionsAllowed.contains(one.oid), "X-14", "extension \(one.oid) has no place here")
        }
        let usage = extensions[oid: .X509ExtensionID.keyUsage]
        try require(usage?.critical == true, "X-07", "keyUsage is not critical")
        var isRSA = false
        if case .rsa = template.key.kind { isRSA = true }
        try requireValue(
            usage,
            isRSA && profile.rsaKeyEncipherment ? ExtensionOctets.signingAndEnciphering : ExtensionOctets.signing,
            "X-07",
            "keyUsage is not what the profile says"
        )
        try requireValue(
            extensions[oid: .X509ExtensionID.extendedKeyUsage],
            ExtensionOctets.clientAuth,
            "X-09",
            "extendedKeyUsage is not clientAuth alone"
        )
        try requireValue(
            extensions[oid: .X509ExtensionID.authorityKeyIdentifier],
            issuer.subjectKeyIdentifier.map(ExtensionOctets.authorityKeyIdentifier),
            "X-06",
            "authorityKeyIdentifier is not the issuer's subjectKeyIdentifier"
        )
        try requireValue(
            extensions[oid: .X509ExtensionID.subjectKeyIdentifier],
            ExtensionOctets.subjectKeyIdentifier(template.key.subjectKeyIdentifier.keyIdentifier),
            "X-06",
            "subjectKeyIdentifier is not the key's"
        )
        try requireValue(
            extensions[oid: .X509ExtensionID.subjectAlternativeName],
            ExtensionOctets.alternativeName(names.spiffeID(profile)),
            "X-11",
            "the subject alternative name is not the device's SPIFFE id alone"
        )
    }

    /// - Parameter expected: Nil refuses any value.
    private static func requireValue(
        _ found: Certificate.Extension?,
        _ expected: [UInt8]?,
        _ rule: String,
        _ reason: String
    ) throws(LintFinding) {
        guard let found, let expected, found.value == expected[...] else {
            let value = found.map { "\(reason): \(Hex.text($0.value))" }
            throw LintFinding(rule: rule, reason: value ?? "\(reason): there is none")
        }
    }
}

/// What extensions have to hold, octet for octet: DER writes a value in one way only (X.690 sections 10 and 11). Put
/// together without the library that has made what is judged.
private enum ExtensionOctets {
    /// digitalSignature (RFC 5280 section 4.2.1.3).
    static let signing: [UInt8] = [0x03, 0x02, 0x07, 0x80]
    /// digitalSignature and keyEncipherment.
    static let signingAndEnciphering: [UInt8] = [0x03, 0x02, 0x05, 0xA0]
    /// id-kp-clientAuth alone (section 4.2.1.12).
    static let clientAuth: [UInt8] = [0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02]
    /// keyIdentifier of an AuthorityKeyIdentifier (section 4.2.1.1).
    private static let keyIdentifier: UInt8 = 0x80
    /// uniformResourceIdentifier of a GeneralName (section 4.2.1.6).
    private static let uniformResourceIdentifier: UInt8 = 0x86

    /// The key identifier alone, without issuer and serial number.
    static func authorityKeyIdentifier(_ identifier: ArraySlice<UInt8>) -> [UInt8] {
        DERElement.encoded(DERElement.sequence, DERElement.encoded(keyIdentifier, Array(identifier)))
    }

    static func subjectKeyIdentifier(_ identifier: ArraySlice<UInt8>) -> [UInt8] {
        DERElement.encoded(DERElement.octetString, Array(identifier))
    }

    /// This one name.
    static func alternativeName(_ uri: String) -> [UInt8] {
        DERElement.encoded(DERElement.sequence, DERElement.encoded(uniformResourceIdentifier, Array(uri.utf8)))
    }
}
