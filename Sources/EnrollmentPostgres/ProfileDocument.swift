import Foundation
import PKI

/// A certificate profile as the record keeps it: JSON with plain words and seconds.
struct ProfileDocument: Codable {
    var organization: String
    var trustDomain: String
    var lifetimeSeconds: Int64
    var backdatingSeconds: Int64
    var keys: [String]
    var rsaBitsMin: Int
    var rsaKeyEncipherment: Bool
    var crlURLs: [String]
    /// Nil in documents of programs that knew none.
    var deltaCRLURLs: [String]?
    var issuerURLs: [String]
    var ocspURLs: [String]

    init(_ profile: CertificateProfile) {
        organization = profile.organization
        trustDomain = profile.trustDomain
        lifetimeSeconds = profile.lifetime.components.seconds
        backdatingSeconds = profile.backdating.components.seconds
        keys = profile.keyPolicy.families.map(\.rawValue).sorted()
        rsaBitsMin = profile.keyPolicy.rsaBitsMin
        rsaKeyEncipherment = profile.rsaKeyEncipherment
        crlURLs = profile.crlURLs
        deltaCRLURLs = profile.deltaCRLURLs
        issuerURLs = profile.issuerURLs
        ocspURLs = profile.ocspURLs
    }

    /// The profile, checked again: a row may have been written by hand.
    func profile() throws(ProfileDefect) -> CertificateProfile {
        var families: Set<KeyPolicy.Family> = []
        for key in keys {
            guard let family = KeyPolicy.Family(rawValue: key) else {
                throw ProfileDefect(key: "keys", reason: "names the unknown kind \(key)")
            }
            families.insert(family)
        }
        return try CertificateProfile(
            organization: organization,
            trustDomain: trustDomain,
            lifetime: .seconds(lifetimeSeconds),
            backdating: .seconds(backdatingSeconds),
            keyPolicy: KeyPolicy(families: families, rsaBitsMin: rsaBitsMin),
            rsaKeyEncipherment: rsaKeyEncipherment,
            crlURLs: crlURLs,
            deltaCRLURLs: deltaCRLURLs ?? [],
            issuerURLs: issuerURLs,
            ocspURLs: ocspURLs
        )
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    init(json: String) throws {
        self = try JSONDecoder().decode(ProfileDocument.self, from: Data(json.utf8))
    }
}
