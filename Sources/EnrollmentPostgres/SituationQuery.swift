import Enrollment
import Foundation
import PKI
import Postgres

/// What the record knows of several questions, in one statement: as many rows as questions, each with its question's
/// place.
struct SituationQuery {
    let questions: [EnrollmentQuestion]

    /// With how the bootstrap credential and its anchor stand; for a renewal these columns say nothing. A removed anchor
    /// counts as blocked, and one whose certificate was replaced goes on under its name: who was proved by the old one
    /// was proved by it. An IDevID lets in the device that it names, so its devices are counted where they are, and only
    /// a claim has a tally. Every table is looked into by an index.
    var query: PostgresQuery {
        """
        select d.current_issuer_id, d.current_serial, d.current_key_sha256, c.not_before, c.not_after,
               c.status = 'revoked', c.der, d.renewable_serial, d.enrolled_at, d.current_used_at is not null,
               coalesce((select n.id from anchors o join anchors n on n.fleet_id = o.fleet_id and n.name = o.name
                         where o.id = d.idevid_anchor_id and n.removed_at is null), d.idevid_anchor_id),
               coalesce(k.fleet_id <> q.fleet_id or k.device_id <> q.device_id, false),
               r.device_id is not null, r.key_sha256, r.idevid_sha256, p.state,
               coalesce(a.blocked_at, a.removed_at) is not null, coalesce(u.devices, 0),
               (select coalesce(sum(m.devices), 0)::int8 from bootstrap_minutes m
                where m.anchor_id = q.anchor_id and m.credential_sha256 = '' and m.minute >= q.since),
               b.blocked_at is not null,
               case when a.device_id_rule = 'request-common-name' then coalesce(b.devices, 0)
                    else (select count(*) from devices o
                          where o.fleet_id = q.fleet_id and o.first_credential_sha256 = q.credential_sha256) end,
               (select coalesce(sum(m.devices), 0)::int8 from bootstrap_minutes m
                where m.anchor_id = q.anchor_id and m.credential_sha256 = q.credential_sha256
                    and m.minute >= q.since),
               b.devices_max, b.devices_per_hour, b.valid_from, b.valid_until,
               case when p.state is null
                        and (f.policy = 'approval' or a.key_change = 'approve' or d.revoked_at is not null)
                    then (select count(*) from (select from approvals w
                                                where w.fleet_id = q.fleet_id and w.state = 'pending'
                                                limit \(EnrollmentPolicy.pendingMax)) as waiting)
                    else 0 end,
               k.revoked_at is not null, d.revocation_reason, d.standing_changes,
               q.ordinal
        from unnest(\(questions.indices.map { Int32($0) }), \(questions.map(\.fleet.value)),
                    \(questions.map(\.device.text)), \(questions.map(\.publicKeySHA256)),
                    \(questions.map { $0.bootstrap?.anchor.value }),
                    \(questions.map { $0.bootstrap?.credentialSHA256 }),
                    \(questions.map { $0.bootstrap.map { BootstrapMinute.hourBegan(at: $0.at) } }))
            as q (ordinal, fleet_id, device_id, key_sha256, anchor_id, credential_sha256, since)
        left join devices d on d.fleet_id = q.fleet_id and d.device_id = q.device_id
        left join certificates c on c.issuer_id = d.current_issuer_id and c.serial = d.current_serial
        left join device_keys k on k.key_sha256 = q.key_sha256
        left join registrations r on r.fleet_id = q.fleet_id and r.device_id = q.device_id
        left join approvals p on p.fleet_id = q.fleet_id and p.device_id = q.device_id
            and p.key_sha256 = q.key_sha256
        left join anchors a on a.id = q.anchor_id
        left join fleets f on f.id = a.fleet_id
        left join anchor_usage u on u.anchor_id = q.anchor_id
        left join bootstrap_credentials b on b.fleet_id = q.fleet_id and b.sha256 = q.credential_sha256
        """
    }

    /// The answers, in the order of the questions.
    func situations(_ rows: PostgresRows) throws(PostgresError) -> [EnrollmentSituation] {
        var answers = [EnrollmentSituation?](repeating: nil, count: questions.count)
        for row in rows {
            let place = Int(try row.decode(at: 30, as: Int32.self))
            guard answers.indices.contains(place) else { continue }
            answers[place] = try situation(row, of: questions[place])
        }
        let found = answers.compactMap { $0 }
        guard found.count == questions.count else {
            throw .decoding(column: "ordinal", reason: "\(found.count) rows for \(questions.count) questions")
        }
        return found
    }

    private func situation(
        _ row: PostgresRow,
        of question: EnrollmentQuestion
    ) throws(PostgresError) -> EnrollmentSituation {
        EnrollmentSituation(
            device: try KnownDevice(row),
            keyBelongsToAnother: try row.decode(at: 11),
            keyIsRevoked: try row.decode(at: 27),
            registration: try Registration(row),
            approval: try row.decode(at: 15, as: String?.self).flatMap { ApprovalState(rawValue: $0) },
            standing: question.bootstrap == nil ? nil : try BootstrapStanding(row),
            pending: question.bootstrap == nil ? 0 : try row.decode(at: 26)
        )
    }
}

extension KnownDevice {
    /// Columns 0 to 10, 28 and 29; nil if the first one is null. A reason that this program does not know revokes too.
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
            idevidAnchor: try row.decode(at: 10, as: Int64?.self).map { AnchorID($0) },
            standing: DeviceStanding(
                reason: try row.decode(at: 28, as: String?.self).map { RevocationReason(rawValue: $0) ?? .unspecified },
                changes: try row.decode(at: 29)
            )
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
