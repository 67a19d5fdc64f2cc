package import Enrollment
package import Foundation
import PKI
package import Postgres

/// What a revocation of many would come to, from the record.
package struct PostgresRevocationPreview: RevocationPreviewReading {
    /// It looks at every device of the group.
    private static let timeout: Duration = .seconds(60)

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func preview(
        of group: RevocationGroup,
        fleet: FleetID,
        for reason: RevocationReason,
        at: Date
    ) async throws(RecordError) -> RevocationPreview {
        let queries = RevocationPreviewQueries(group: group, fleet: fleet.value, reason: reason, at: at)
        return try await recording {
            let results = try await pool.pipeline(
                [queries.devices, queries.credentials, queries.unknown],
                timeout: Self.timeout
            )
            guard results.count == 3, let counts = results[0].first else {
                throw RecordError.broken("a preview has no counts")
            }
            let shares = try results[1].map { try CredentialShare($0) }
            var columns = counts.columns
            return RevocationPreview(
                devices: try columns.next(),
                already: try columns.next(),
                valid: try columns.next(),
                lately: try columns.next(),
                sample: try Self.devices(&columns),
                latest: try Self.devices(&columns),
                credentials: try await credentials(shares, of: fleet, at: at),
                furtherCredentials: (shares.first?.credentials ?? 0) - Int64(shares.count),
                unknown: try results[2].first?.decode(at: 1) ?? 0,
                unknownNames: try results[2].map { try $0.decode(at: 0, as: String.self) }
            )
        }
    }

    /// Names, then times.
    private static func devices(_ columns: inout PostgresColumns) throws -> [RevocationPreview.Device] {
        zip(try columns.next([String].self), try columns.next([Date].self)).map { device, seenAt in
            RevocationPreview.Device(device: device, seenAt: seenAt)
        }
    }

    /// With what is said of each, and of its anchor.
    private func credentials(
        _ shares: [CredentialShare],
        of fleet: FleetID,
        at: Date
    ) async throws -> [RevocationPreview.Credential] {
        if shares.isEmpty { return [] }
        let rows = try await pool.query(
            """
            with page as (
                select * from bootstrap_credentials
                where fleet_id = \(fleet.value) and sha256 = any (\(shares.map(\.sha256)))
            )
            \(unescaped: CredentialRow.entries)
            """
        )
        let entries = try rows.map { try CredentialRow.decode($0) }
        let anchors = try await PostgresBootstrapRegister(pool: pool).anchors(of: fleet)
        return shares.map { share in
            let entry = entries.first { $0.sha256 == share.sha256 } ?? .unseen(share.sha256)
            let anchor = anchors.first { $0.name == share.anchor }
            return share.credential(entry, anchor, at: at)
        }
    }
}

/// What a credential let in, here and elsewhere.
private struct CredentialShare {
    let sha256: [UInt8]
    let anchor: String?
    let group: RevocationPreview.Standing
    let others: RevocationPreview.Standing
    /// How many there are in all.
    let credentials: Int64
    let elsewhere: [RevocationPreview.Elsewhere]

    init(_ row: PostgresRow) throws {
        var columns = row.columns
        sha256 = try columns.next()
        anchor = try columns.next(String?.self)
        group = try RevocationPreview.Standing(&columns)
        others = try RevocationPreview.Standing(&columns)
        credentials = try columns.next()
        elsewhere = zip(try columns.next([String].self), try columns.next([Int64].self)).map { fleet, devices in
            RevocationPreview.Elsewhere(fleet: fleet, devices: devices)
        }
    }

    /// - Parameter present: Its anchor, if the fleet still has one of that name.
    func credential(_ entry: CredentialEntry, _ present: AnchorEntry?, at: Date) -> RevocationPreview.Credential {
        let kind: Attempt.CredentialKind? = present.map { $0.rule.isClaim ? .claim : .idevid }
        return RevocationPreview.Credential(
            sha256: sha256,
            kind: entry.kind ?? kind,
            subject: entry.subject,
            anchor: anchor,
            group: group,
            others: others,
            elsewhere: elsewhere,
            closed: removed(present) ?? BootstrapGate(present, credential: entry).closed(at: at)
        )
    }

    private func removed(_ present: AnchorEntry?) -> Refusal? {
        guard let anchor, present == nil else { return nil }
        return Refusal(.certificateNotTrusted, "the fleet has no anchor \(anchor) any more")
    }
}

extension RevocationPreview.Standing {
    /// Active, then revoked.
    fileprivate init(_ columns: inout PostgresColumns) throws(PostgresError) {
        self.init(active: try columns.next(), revoked: try columns.next())
    }
}
