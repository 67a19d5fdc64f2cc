import Crypto
import Foundation
import OperatorAPI
import PKI
import SwiftASN1

/// What differs between two canonical descriptions, line by line. Certificates are shown as their SHA-256.
enum FleetDifference {
    static func lines(from present: FleetDescription?, to wanted: FleetDescription) -> [API.FleetChange.Line] {
        let before = present.map(entries) ?? []
        let after = entries(wanted)
        let values = (
            before: Dictionary(before) { first, _ in first }, after: Dictionary(after) { first, _ in first }
        )
        let changed = after.compactMap { path, value -> API.FleetChange.Line? in
            let old = values.before[path]
            return old == value ? nil : API.FleetChange.Line(path: path, from: old, to: value)
        }
        let removed = before.compactMap { path, value in
            values.after[path] == nil ? API.FleetChange.Line(path: path, from: value, to: nil) : nil
        }
        return changed + removed
    }

    private static func entries(_ fleet: FleetDescription) -> [(String, String)] {
        var entries: [(String, String?)] = [
            ("policy", fleet.policy), ("approvalRetry", fleet.approvalRetry),
            ("reenrollment", fleet.reenrollment), ("issuer", fleet.issuer),
            ("profile.organization", fleet.profile.organization),
            ("profile.trustDomain", fleet.profile.trustDomain),
            ("profile.lifetime", fleet.profile.lifetime), ("profile.backdating", fleet.profile.backdating),
            ("profile.keys", list(fleet.profile.keys)),
            ("profile.rsaBitsMin", fleet.profile.rsaBitsMin.map { "\($0)" }),
            ("profile.rsaKeyEncipherment", fleet.profile.rsaKeyEncipherment.map { "\($0)" }),
            ("profile.crlURLs", list(fleet.profile.crlURLs)),
            ("profile.deltaCRLURLs", list(fleet.profile.deltaCRLURLs)),
            ("profile.issuerURLs", list(fleet.profile.issuerURLs)),
            ("profile.ocspURLs", list(fleet.profile.ocspURLs)),
        ]
        for anchor in fleet.anchors {
            let place = "anchors[\(anchor.name)]"
            entries += [
                ("\(place).certificate", fingerprint(anchor.certificate)), ("\(place).deviceID", anchor.deviceID),
                ("\(place).uriPattern", anchor.uriPattern), ("\(place).keyChange", anchor.keyChange),
            ]
            entries += limits(anchor.limits, at: "\(place).limits")
            entries += limits(anchor.credentialLimits, at: "\(place).credentialLimits")
        }
        return entries.compactMap { path, value in value.map { (path, $0) } }
    }

    private static func limits(_ limits: API.Limits?, at place: String) -> [(String, String?)] {
        [
            ("\(place).devices", limits?.devices.map { "\($0)" }),
            ("\(place).devicesPerHour", limits?.devicesPerHour.map { "\($0)" }),
            ("\(place).validFrom", limits?.validFrom.map(time)), ("\(place).validUntil", limits?.validUntil.map(time)),
        ]
    }

    /// Nil for an empty list, so that it does not differ from one that is not there.
    private static func list(_ values: [String]?) -> String? {
        guard let values, !values.isEmpty else { return nil }
        return values.joined(separator: ", ")
    }

    private static func time(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    private static func fingerprint(_ pem: String) -> String {
        guard let document = try? PEMDocument(pemString: pem) else { return "unreadable" }
        return "sha256:" + Hex.text(SHA256.hash(data: document.derBytes))
    }
}
