import Enrollment
import Foundation
import Postgres

/// What a group's new devices add to the counts that limits are held against: by anchor, by minute, by claim.
struct AdmissionTally {
    private struct Minute: Hashable {
        let anchor: Int64
        /// Empty for the anchor as a whole.
        let credential: [UInt8]
        let minute: Date
    }

    private struct Claim {
        let fleet: Int64
        let anchor: Int64
        let sha256: [UInt8]
        let subject: String?
        var first: Date
        var last: Date
        var devices: Int64
    }

    private struct ClaimKey: Hashable {
        let fleet: Int64
        let sha256: [UInt8]
    }

    private var anchors: [Int64: Int64] = [:]
    private var minutes: [Minute: Int64] = [:]
    private var claims: [ClaimKey: Claim] = [:]

    /// - Parameter issued: Of those that were let in first, what let them in is counted.
    init(_ issued: [(Attempt, Issuance)]) {
        for (attempt, issuance) in issued {
            guard let admission = issuance.admission else { continue }
            let anchor = admission.anchor.value
            let minute = BootstrapMinute.of(attempt.at)
            anchors[anchor, default: 0] += 1
            minutes[Minute(anchor: anchor, credential: [], minute: minute), default: 0] += 1
            let isClaim = admission.kind == .claim
            // Nobody asks what one of ten million IDevIDs did in an hour, unless it is limited.
            if isClaim || admission.credentialLimits.devicesPerHour != nil {
                let key = Minute(anchor: anchor, credential: admission.credentialSHA256, minute: minute)
                minutes[key, default: 0] += 1
            }
            if isClaim { count(admission, attempt) }
        }
    }

    private mutating func count(_ admission: Admission, _ attempt: Attempt) {
        let key = ClaimKey(fleet: attempt.fleet.value, sha256: admission.credentialSHA256)
        var claim =
            claims[key]
            ?? Claim(
                fleet: key.fleet,
                anchor: admission.anchor.value,
                sha256: key.sha256,
                subject: attempt.credentialSubject,
                first: attempt.at,
                last: attempt.at,
                devices: 0
            )
        claim.first = min(claim.first, attempt.at)
        claim.last = max(claim.last, attempt.at)
        claim.devices += 1
        claims[key] = claim
    }

    /// One statement for each table that there is something for.
    var queries: [PostgresQuery] {
        if anchors.isEmpty { return [] }
        let anchors = Array(anchors)
        let minutes = Array(minutes)
        var queries: [PostgresQuery] = [
            """
            insert into anchor_usage as u (anchor_id, devices)
            select * from unnest(\(anchors.map(\.key)), \(anchors.map(\.value)))
            on conflict (anchor_id) do update set devices = u.devices + excluded.devices
            """,
            """
            insert into bootstrap_minutes as m (anchor_id, credential_sha256, minute, devices)
            select * from unnest(\(minutes.map(\.key.anchor)), \(minutes.map(\.key.credential)),
                                 \(minutes.map(\.key.minute)), \(minutes.map(\.value)))
            on conflict (anchor_id, credential_sha256, minute) do update set devices = m.devices + excluded.devices
            """,
        ]
        if !claims.isEmpty {
            let claims = Array(claims.values)
            queries.append(
                """
                insert into bootstrap_credentials as b (fleet_id, sha256, anchor_id, kind, subject, first_seen_at,
                                                        last_seen_at, devices)
                select w.fleet_id, w.sha256, w.anchor_id, 'claim', w.subject, w.first, w.last, w.devices
                from unnest(\(claims.map(\.fleet)), \(claims.map(\.sha256)), \(claims.map(\.anchor)),
                            \(claims.map(\.subject)), \(claims.map(\.first)), \(claims.map(\.last)),
                            \(claims.map(\.devices)))
                    as w (fleet_id, sha256, anchor_id, subject, first, last, devices)
                on conflict (fleet_id, sha256) do update
                set devices = b.devices + excluded.devices, anchor_id = excluded.anchor_id, kind = excluded.kind,
                    subject = excluded.subject, first_seen_at = coalesce(b.first_seen_at, excluded.first_seen_at),
                    last_seen_at = greatest(b.last_seen_at, excluded.last_seen_at)
                """
            )
        }
        return queries
    }
}
