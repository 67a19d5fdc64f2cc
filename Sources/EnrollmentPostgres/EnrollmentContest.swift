import Enrollment
import Foundation
import PKI
import Postgres

/// Finds out which of a group's issuances win, and gives them their devices and keys: one statement, run by whoever holds
/// the end of the audit chain, so that no other enrollment of any replica is between its look and its change.
struct EnrollmentContest {
    private var ordinal: [Int32] = []
    private var fleet: [Int64] = []
    private var device: [String] = []
    private var issuer: [Int64] = []
    private var serial: [[UInt8]] = []
    private var key: [[UInt8]] = []
    private var replaces: [[UInt8]?] = []
    private var renewable: [[UInt8]?] = []
    private var idevidAnchor: [Int64?] = []
    private var at: [Date] = []
    private var notAfter: [Date] = []
    private var standingChanges: [Int64] = []
    private var admissions: [Admission?] = []
    private var foreseen: [Bool] = []

    init(_ entries: [EnrollmentEntry]) {
        for (index, entry) in entries.enumerated() {
            guard let issuance = entry.issuance else { continue }
            ordinal.append(Int32(index))
            fleet.append(entry.attempt.fleet.value)
            device.append(issuance.device.text)
            issuer.append(issuance.issuer.value)
            serial.append(issuance.certificate.serialNumber)
            key.append(issuance.publicKeySHA256)
            replaces.append(issuance.replaces)
            renewable.append(issuance.renewableSerialNumber)
            idevidAnchor.append(issuance.idevidAnchor?.value)
            at.append(entry.attempt.at)
            notAfter.append(issuance.certificate.notAfter)
            standingChanges.append(issuance.standingChanges)
            admissions.append(issuance.admission)
            foreseen.append(issuance.isForeseen)
        }
    }

    /// Binds each key to its device and moves each device to its new certificate, unless another enrollment or an
    /// operator's change of the device's standing came first, or a limit is reached; gives the positions of those that
    /// went through.
    var query: PostgresQuery { admissions.contains { $0?.isLimited == true } ? limited : unlimited }

    private var unlimited: PostgresQuery {
        """
        with wanted as (
            select * from unnest(\(ordinal), \(fleet), \(device), \(issuer), \(serial), \(key), \(replaces),
                                 \(renewable), \(idevidAnchor), \(at), \(notAfter),
                                 \(admissions.map { $0?.anchor.value }), \(admissions.map { $0?.credentialSHA256 }),
                                 \(standingChanges), \(foreseen))
                as w (ordinal, fleet_id, device_id, issuer_id, serial, key_sha256, replaces, renewable, anchor_id, at,
                      not_after, first_anchor_id, first_credential_sha256, standing_changes, is_foreseen)
        ), fit as (
            select w.*
            from wanted w left join devices d using (fleet_id, device_id)
            \(unescaped: verification.keyJoin)
            \(unescaped: verification.joins)
            where w.replaces is not distinct from d.current_serial
                and w.standing_changes = coalesce(d.standing_changes, 0)
                \(unescaped: verification.condition)
        ), \(unescaped: Self.change)
        """
    }

    /// Those that another enrollment came before take no place under a limit; of the others each credential's first
    /// ones do, in their order, and of those each anchor's first ones. An hour is counted back from the earliest.
    private var limited: PostgresQuery {
        """
        with wanted as (
            select * from unnest(\(ordinal), \(fleet), \(device), \(issuer), \(serial), \(key), \(replaces),
                                 \(renewable), \(idevidAnchor), \(at), \(notAfter),
                                 \(admissions.map { $0?.anchor.value }), \(admissions.map { $0?.credentialSHA256 }),
                                 \(admissions.map { $0?.kind == .claim }),
                                 \(admissions.map { $0?.credentialLimits.devicesMax }),
                                 \(admissions.map { $0?.credentialLimits.devicesPerHour }),
                                 \(admissions.map { $0?.anchorLimits.devicesMax }),
                                 \(admissions.map { $0?.anchorLimits.devicesPerHour }), \(standingChanges),
                                 \(foreseen))
                as w (ordinal, fleet_id, device_id, issuer_id, serial, key_sha256, replaces, renewable, anchor_id, at,
                      not_after, first_anchor_id, first_credential_sha256, is_claim, credential_max, credential_hourly,
                      anchor_max, anchor_hourly, standing_changes, is_foreseen)
        ), free as (
            select w.*
            from wanted w
            left join devices d using (fleet_id, device_id)
            left join device_keys k using (key_sha256)
            \(unescaped: verification.joins)
            where w.replaces is not distinct from d.current_serial
                and w.standing_changes = coalesce(d.standing_changes, 0)
                and (k.key_sha256 is null or k.fleet_id = w.fleet_id and k.device_id = w.device_id)
                \(unescaped: verification.condition)
        ), credentials as (
            select g.*,
                   case when g.is_claim
                        then coalesce((select b.devices from bootstrap_credentials b
                                       where b.fleet_id = g.fleet_id and b.sha256 = g.first_credential_sha256), 0)
                        else (select count(*) from devices o
                              where o.fleet_id = g.fleet_id
                                  and o.first_credential_sha256 = g.first_credential_sha256) end as devices,
                   (select coalesce(sum(m.devices), 0) from bootstrap_minutes m
                    where m.anchor_id = g.first_anchor_id and m.credential_sha256 = g.first_credential_sha256
                        and m.minute >= date_trunc('minute', g.began) - interval '60 minutes') as devices_last_hour
            from (select fleet_id, first_anchor_id, first_credential_sha256, is_claim, min(at) as began
                  from free where credential_max is not null or credential_hourly is not null
                  group by 1, 2, 3, 4) g
        ), ranked as (
            select f.*, row_number() over (partition by fleet_id, first_credential_sha256 order by ordinal) as place
            from free f
        ), of_credential as (
            select r.*, row_number() over (partition by r.first_anchor_id order by r.ordinal) as anchor_place
            from ranked r
            left join credentials c using (fleet_id, first_anchor_id, first_credential_sha256)
            where coalesce(r.place + c.devices <= r.credential_max, true)
                and coalesce(r.place + c.devices_last_hour <= r.credential_hourly, true)
        ), anchors_taken as (
            select g.*, coalesce((select u.devices from anchor_usage u where u.anchor_id = g.first_anchor_id), 0)
                       as devices,
                   (select coalesce(sum(m.devices), 0) from bootstrap_minutes m
                    where m.anchor_id = g.first_anchor_id and m.credential_sha256 = ''
                        and m.minute >= date_trunc('minute', g.began) - interval '60 minutes') as devices_last_hour
            from (select first_anchor_id, min(at) as began
                  from of_credential where anchor_max is not null or anchor_hourly is not null group by 1) g
        ), fit as (
            select r.*
            from of_credential r left join anchors_taken t using (first_anchor_id)
            where coalesce(r.anchor_place + t.devices <= r.anchor_max, true)
                and coalesce(r.anchor_place + t.devices_last_hour <= r.anchor_hourly, true)
        ), \(unescaped: Self.change)
        """
    }

    /// Whether the situation of those that were foreseen is blank, as an answer to their question would have said. The
    /// device has no row, or `replaces` would tell. Left out where none was, since it looks into four
    /// tables. `limited` looks at the keys anyway and needs no `keyJoin`.
    private var verification: (keyJoin: String, joins: String, condition: String) {
        guard foreseen.contains(true) else { return ("", "", "") }
        return (
            "left join device_keys k using (key_sha256)",
            """
            left join registrations fr on fr.fleet_id = w.fleet_id and fr.device_id = w.device_id
            left join anchors fa on fa.id = w.first_anchor_id
            left join bootstrap_credentials fb on fb.fleet_id = w.fleet_id and fb.sha256 = w.first_credential_sha256
            """,
            """
            and (not w.is_foreseen
                 or k.key_sha256 is null and fr.device_id is null
                    and fa.id is not null and fa.blocked_at is null and fa.removed_at is null
                    and fb.blocked_at is null
                    and num_nonnulls(fb.devices_max, fb.devices_per_hour, fb.valid_from, fb.valid_until) = 0)
            """
        )
    }

    /// What both have in common: the change, for those that are `fit`.
    private static let change = """
        bound as (
            insert into device_keys as k (key_sha256, fleet_id, device_id, bound_at)
            select w.key_sha256, w.fleet_id, w.device_id, w.at from fit w
            on conflict (key_sha256) do update set bound_at = k.bound_at
                where k.fleet_id = excluded.fleet_id and k.device_id = excluded.device_id
            returning key_sha256
        ), moved as (
            update devices d
            set enrolled_at = w.at, current_issuer_id = w.issuer_id, current_serial = w.serial,
                current_key_sha256 = w.key_sha256, current_not_after = w.not_after, renewable_serial = w.renewable,
                current_used_at = null, revoked_at = null, revocation_reason = null, revoked_by = null,
                revocation_comment = null, idevid_anchor_id = coalesce(w.anchor_id, d.idevid_anchor_id)
            from fit w join bound using (key_sha256)
            where d.fleet_id = w.fleet_id and d.device_id = w.device_id and d.current_serial = w.replaces
            returning w.ordinal
        ), made as (
            insert into devices (fleet_id, device_id, first_enrolled_at, enrolled_at, current_issuer_id,
                                 current_serial, current_key_sha256, current_not_after, renewable_serial,
                                 idevid_anchor_id, first_anchor_id, first_credential_sha256)
            select w.fleet_id, w.device_id, w.at, w.at, w.issuer_id, w.serial, w.key_sha256, w.not_after, w.renewable,
                   w.anchor_id, w.first_anchor_id, w.first_credential_sha256
            from fit w join bound using (key_sha256)
            where w.replaces is null
            on conflict (fleet_id, device_id) do nothing
            returning fleet_id, device_id
        )
        select ordinal from moved
        union all
        select w.ordinal from made join fit w using (fleet_id, device_id)
        """
}

extension Admission {
    fileprivate var isLimited: Bool {
        anchorLimits.isCounted || credentialLimits.isCounted
    }
}

extension BootstrapLimits {
    fileprivate var isCounted: Bool { devicesMax != nil || devicesPerHour != nil }
}
