import SwiftASN1
import X509

/// What a certificate of a fleet contains. Immutable and checked: what could not be issued cannot be a profile.
package struct CertificateProfile: Hashable, Sendable {
    /// The longest lifetime of a device certificate.
    package static let lifetimeMax: Duration = .seconds(20 * 366 * 86_400)
    /// The farthest that notBefore may lie before the time of issue.
    package static let backdatingMax: Duration = .seconds(86_400)
    /// The most URLs of each kind.
    package static let urlsMax = 4

    /// O of the subject.
    package let organization: String
    /// The trust domain of the SPIFFE id (SPIFFE-ID section 2.1).
    package let trustDomain: String
    /// Time from issue to notAfter.
    package let lifetime: Duration
    /// How far notBefore lies before the time of issue, for devices whose clocks lag.
    package let backdating: Duration
    package let keyPolicy: KeyPolicy
    /// RSA keys may also encipher keys, which TLS 1.2's key transport and some brokers ask for.
    package let rsaKeyEncipherment: Bool
    /// `http` URLs of the CRL, of its delta, of the issuer's certificate, and of the OCSP responder; `{issuer}`
    /// stands for the issuer's name, and in those of the CRL and its delta `{shard}` for the certificate's shard.
    package let crlURLs: [String]
    /// Certificates have freshestCRL (RFC 5280 section 4.2.1.15) if there are any.
    package let deltaCRLURLs: [String]
    package let issuerURLs: [String]
    package let ocspURLs: [String]

    package init(
        organization: String,
        trustDomain: String,
        lifetime: Duration = .seconds(365 * 86_400),
        backdating: Duration = .seconds(3_600),
        keyPolicy: KeyPolicy = KeyPolicy(),
        rsaKeyEncipherment: Bool = false,
        crlURLs: [String] = [],
        deltaCRLURLs: [String] = [],
        issuerURLs: [String] = [],
        ocspURLs: [String] = []
    ) throws(ProfileDefect) {
        guard (1...64).contains(organization.unicodeScalars.count),
            organization.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw ProfileDefect(key: "organization", reason: "must have 1 to 64 printable characters") }
        guard (1...255).contains(trustDomain.utf8.count),
            trustDomain.utf8.allSatisfy({ byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x2E
                    || byte == 0x5F
            })
        else { throw ProfileDefect(key: "trustDomain", reason: "must be 1 to 255 of a-z0-9.-_, such as fleet.example") }
        guard lifetime >= .seconds(60), lifetime <= Self.lifetimeMax else {
            throw ProfileDefect(key: "lifetime", reason: "must be from one minute to 20 years")
        }
        guard backdating >= .zero, backdating <= Self.backdatingMax else {
            throw ProfileDefect(key: "backdating", reason: "must be from nothing to one day")
        }
        guard !keyPolicy.families.isEmpty else {
            throw ProfileDefect(key: "keys", reason: "must name at least one kind of key")
        }
        for (key, urls) in [
            ("crlURLs", crlURLs), ("deltaCRLURLs", deltaCRLURLs), ("issuerURLs", issuerURLs), ("ocspURLs", ocspURLs),
        ] {
            guard urls.count <= Self.urlsMax else {
                throw ProfileDefect(key: key, reason: "has too many URLs; at most \(Self.urlsMax) are accepted")
            }
            for url in urls where !Self.isPlainHTTP(url) {
                throw ProfileDefect(key: key, reason: "must hold http:// URLs in ASCII without spaces, not \(url)")
            }
        }
        guard
            crlURLs.isEmpty || crlURLs.contains(where: CRLShards.isSharded)
                || !deltaCRLURLs.contains(where: CRLShards.isSharded)
        else { throw ProfileDefect(key: "deltaCRLURLs", reason: "cannot hold {shard}, which no URL of crlURLs holds") }
        self.organization = organization
        self.trustDomain = trustDomain
        self.lifetime = lifetime
        self.backdating = backdating
        self.keyPolicy = keyPolicy
        self.rsaKeyEncipherment = rsaKeyEncipherment
        self.crlURLs = crlURLs
        self.deltaCRLURLs = deltaCRLURLs
        self.issuerURLs = issuerURLs
        self.ocspURLs = ocspURLs
    }

    /// This profile with the URLs of a public front at `base` where it names none itself.
    package func reached(at base: String?) -> CertificateProfile {
        guard let base, crlURLs.isEmpty || issuerURLs.isEmpty || ocspURLs.isEmpty else { return self }
        // What was checked stays so; a base that is no plain URL leaves the profile as it is.
        let whole = try? CertificateProfile(
            organization: organization,
            trustDomain: trustDomain,
            lifetime: lifetime,
            backdating: backdating,
            keyPolicy: keyPolicy,
            rsaKeyEncipherment: rsaKeyEncipherment,
            crlURLs: crlURLs.isEmpty ? ["\(base)/crl/{issuer}/{shard}.crl"] : crlURLs,
            deltaCRLURLs: deltaCRLURLs,
            issuerURLs: issuerURLs.isEmpty ? ["\(base)/ca/{issuer}.cer"] : issuerURLs,
            ocspURLs: ocspURLs.isEmpty ? ["\(base)/ocsp"] : ocspURLs
        )
        return whole ?? self
    }

    private static func isPlainHTTP(_ url: String) -> Bool {
        url.hasPrefix("http://") && url.utf8.count > 7 && url.utf8.count <= 1024
            && url.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}

/// Why a profile cannot be: the key at fault and what is right.
package struct ProfileDefect: Error, Hashable, CustomStringConvertible {
    package let key: String
    package let reason: String

    package init(key: String, reason: String) {
        self.key = key
        self.reason = reason
    }

    package var description: String { "profile \(key) \(reason)" }
}

/// The names that a device's certificate carries. They follow from the fleet and the DeviceID alone.
package struct DeviceNames: Hashable, Sendable {
    package let device: DeviceID
    package let fleet: FleetName
    /// `<DeviceID>@<fleet>`: common name and MQTT user name, unique across fleets; at most 64 characters, the upper
    /// bound of a common name (RFC 5280 appendix A.1).
    package let commonName: String

    package init(device: DeviceID, fleet: FleetName) {
        self.device = device
        self.fleet = fleet
        commonName = "\(device.text)@\(fleet.text)"
    }

    /// `spiffe://<trust domain>/<fleet>/<DeviceID>`: makes the certificate a valid X.509-SVID.
    package func spiffeID(_ profile: CertificateProfile) -> String {
        "spiffe://\(profile.trustDomain)/\(fleet.text)/\(device.text)"
    }

    /// The subject: CN, serialNumber, O. A DeviceID with `_` has no serialNumber attribute, since that attribute is a
    /// PrintableString (RFC 5280 appendix A.1), whose alphabet lacks `_`.
    func subject(_ profile: CertificateProfile) -> DistinguishedName {
        var names = [
            RelativeDistinguishedName(.init(type: .RDNAttributeType.organizationName, utf8String: profile.organization))
        ]
        if let serial = try? RelativeDistinguishedName.Attribute(
            type: .serialNumberAttribute,
            printableString: device.text
        ) {
            names.append(RelativeDistinguishedName(serial))
        }
        names.append(RelativeDistinguishedName(.init(type: .RDNAttributeType.commonName, utf8String: commonName)))
        return DistinguishedName(names)
    }
}
