package import Enrollment
import Foundation
import PKI
package import Postgres

/// The record of enrollments in PostgreSQL: one query before a decision, one grouped commit after it.
package struct PostgresEnrollmentRecord: EnrollmentRecord {
    private let pool: PostgresPool
    private let commits: CommitGroup

    /// - Parameter commits: Must be running, since commits wait for it.
    package init(pool: PostgresPool, commits: CommitGroup) {
        self.pool = pool
        self.commits = commits
    }

    package func situation(of question: EnrollmentQuestion) async throws(RecordError) -> EnrollmentSituation {
        let query = question.bootstrap.map { Self.query(question, $0) } ?? Self.query(question)
        return try await recording {
            let rows = try await pool.query(query)
            guard let row = rows.first else { throw RecordError.broken("no row where one must be") }
            return EnrollmentSituation(
                device: try KnownDevice(row),
                keyBelongsToAnother: try row.decode(at: 11),
                registration: try Registration(row),
                approval: try row.decode(at: 15, as: String?.self).flatMap { ApprovalState(rawValue: $0) },
                standing: question.bootstrap == nil ? nil : try BootstrapStanding(row),
                pending: question.bootstrap == nil ? 0 : try row.decode(at: 26)
            )
        }
    }

    package func commit(_ entry: EnrollmentEntry) async throws(RecordError) -> CommitOutcome {
        try await commits.commit(entry)
    }

    // An anchor whose certificate was replaced goes on under its name: who was proved by the old one was proved by it.

    /// For a renewal. Every table is looked into by its primary key.
    private static func query(_ question: EnrollmentQuestion) -> PostgresQuery {
        let fleet = question.fleet.value
        let device = question.device.text
        let key = question.publicKeySHA256
        return """
            select d.current_issuer_id, d.current_serial, d.current_key_sha256, c.not_before, c.not_after,
                   c.status = 'revoked', c.der, d.renewable_serial, d.enrolled_at, d.current_used_at is not null,
                   coalesce((select n.id from anchors o join anchors n on n.fleet_id = o.fleet_id and n.name = o.name
                             where o.id = d.idevid_anchor_id and n.removed_at is null), d.idevid_anchor_id),
                   exists (select from device_keys k
                           where k.key_sha256 = \(key) and (k.fleet_id <> \(fleet) or k.device_id <> \(device))),
                   r.device_id is not null, r.key_sha256, r.idevid_sha256, p.state
            from (select) as one
            left join devices d on d.fleet_id = \(fleet) and d.device_id = \(device)
            left join certificates c on c.issuer_id = d.current_issuer_id and c.serial = d.current_serial
            left join registrations r on r.fleet_id = \(fleet) and r.device_id = \(device)
            left join approvals p on p.fleet_id = \(fleet) and p.device_id = \(device) and p.key_sha256 = \(key)
            """
    }

    /// For a bootstrap credential: with how it and its anchor stand. A removed anchor counts as blocked. An IDevID lets
    /// in the device that it names, so its devices are counted where they are, and only a claim has a tally.
    private static func query(
        _ question: EnrollmentQuestion,
        _ bootstrap: EnrollmentQuestion.Bootstrap
    ) -> PostgresQuery {
        let fleet = question.fleet.value
        let device = question.device.text
        let key = question.publicKeySHA256
        let anchor = bootstrap.anchor.value
        let credential = bootstrap.credentialSHA256
        let since = BootstrapMinute.hourBegan(at: bootstrap.at)
        return """
            select d.current_issuer_id, d.current_serial, d.current_key_sha256, c.not_before, c.not_after,
                   c.status = 'revoked', c.der, d.renewable_serial, d.enrolled_at, d.current_used_at is not null,
                   coalesce((select n.id from anchors o join anchors n on n.fleet_id = o.fleet_id and n.name = o.name
                             where o.id = d.idevid_anchor_id and n.removed_at is null), d.idevid_anchor_id),
                   exists (select from device_keys k
                           where k.key_sha256 = \(key) and (k.fleet_id <> \(fleet) or k.device_id <> \(device))),
                   r.device_id is not null, r.key_sha256, r.idevid_sha256, p.state,
                   coalesce(a.blocked_at, a.removed_at) is not null, coalesce(u.devices, 0),
                   (select coalesce(sum(m.devices), 0)::int8 from bootstrap_minutes m
                    where m.anchor_id = \(anchor) and m.credential_sha256 = '' and m.minute >= \(since)),
                   b.blocked_at is not null,
                   case when a.device_id_rule = 'request-common-name' then coalesce(b.devices, 0)
                        else (select count(*) from devices o
                              where o.fleet_id = \(fleet) and o.first_credential_sha256 = \(credential)) end,
                   (select coalesce(sum(m.devices), 0)::int8 from bootstrap_minutes m
                    where m.anchor_id = \(anchor) and m.credential_sha256 = \(credential) and m.minute >= \(since)),
                   b.devices_max, b.devices_per_hour, b.valid_from, b.valid_until,
                   case when p.state is null and (f.policy = 'approval' or a.key_change = 'approve')
                        then (select count(*) from (select from approvals w
                                                    where w.fleet_id = \(fleet) and w.state = 'pending'
                                                    limit \(EnrollmentPolicy.pendingMax)) as waiting)
                        else 0 end
            from (select) as one
            left join devices d on d.fleet_id = \(fleet) and d.device_id = \(device)
            left join certificates c on c.issuer_id = d.current_issuer_id and c.serial = d.current_serial
            left join registrations r on r.fleet_id = \(fleet) and r.device_id = \(device)
            left join approvals p on p.fleet_id = \(fleet) and p.device_id = \(device) and p.key_sha256 = \(key)
            left join fleets f on f.id = \(fleet)
            left join anchors a on a.id = \(anchor)
            left join anchor_usage u on u.anchor_id = \(anchor)
            left join bootstrap_credentials b on b.fleet_id = \(fleet) and b.sha256 = \(credential)
            """
    }
}

extension KnownDevice {
    /// Columns 0 to 10; nil if the first one is null.
    fileprivate init?(_ row: PostgresRow) throws(PostgresError) {
        guard let issuer = try row.decode(at: 0, as: Int64?.self) else { return nil }
        self.init(
            current: RecordedCertificate(
                issuer: IssuerID(issuer),
                serialNumber: try row.decode(at: 1),
                publicKeySHA256: try row.decode(at: 2),
                notBefore: try row.decode(at: 3),
                notAfter: try row.decode(at: 4),
                isRevoked: try row.decode(at: 5),
                der: try row.decode(at: 6)
            ),
            renewableSerialNumber: try row.decode(at: 7, as: [UInt8]?.self),
            enrolledAt: try row.decode(at: 8),
            currentIsUsed: try row.decode(at: 9),
            idevidAnchor: try row.decode(at: 10, as: Int64?.self).map { AnchorID($0) }
        )
    }
}

extension Registration {
    /// Columns 12 to 14; nil if the first one says that there is none.
    fileprivate init?(_ row: PostgresRow) throws(PostgresError) {
        guard try row.decode(at: 12, as: Bool.self) else { return nil }
        self.init(
            publicKeySHA256: try row.decode(at: 13, as: [UInt8]?.self),
            idevidSHA256: try row.decode(at: 14, as: [UInt8]?.self)
        )
    }
}

extension BootstrapStanding {
    /// Columns 16 to 25.
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        self.init(
            anchor: Count(
                isBlocked: try row.decode(at: 16),
                devices: try row.decode(at: 17),
                devicesLastHour: try row.decode(at: 18)
            ),
            credential: Count(
                isBlocked: try row.decode(at: 19),
                devices: try row.decode(at: 20),
                devicesLastHour: try row.decode(at: 21)
            ),
            credentialLimits: BootstrapLimits(
                devicesMax: try row.decode(at: 22, as: Int64?.self),
                devicesPerHour: try row.decode(at: 23, as: Int64?.self),
                validFrom: try row.decode(at: 24, as: Date?.self),
                validUntil: try row.decode(at: 25, as: Date?.self)
            )
        )
    }
}
