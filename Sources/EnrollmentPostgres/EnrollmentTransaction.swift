import Enrollment
import Foundation
import PKI
import Postgres

/// One group of entries as one transaction, in two round trips: the first takes the end of the audit chain and finds
/// out who won, the second writes everything and commits.
struct EnrollmentTransaction {
    let entries: [EnrollmentEntry]

    func run(on connection: PostgresConnection) async throws -> [CommitOutcome] {
        do {
            let opened = try await connection.pipeline(["begin", AuditWriter.lockQuery, contestQuery])
            let winners = try Set(opened[2].map { Int(try $0.decode(at: 0, as: Int32.self)) })
            let head = try AuditWriter.Head(opened[1])
            let kept = entries.enumerated().filter { $0.element.issuance == nil || winners.contains($0.offset) }
            _ = try await connection.pipeline(queries(kept.map(\.element), head: head) + ["commit"])
            return entries.enumerated().map { index, entry in
                entry.issuance == nil || winners.contains(index) ? .recorded : .lostRace
            }
        } catch {
            // Whatever failed, nothing of the group stays, and the connection is fit for the next one or is given up.
            _ = try? await connection.query("rollback")
            throw error
        }
    }

    /// Binds each key to its device and moves each device to its new certificate, unless another enrollment came first;
    /// gives the positions of those that went through.
    private var contestQuery: PostgresQuery {
        var ordinal: [Int32] = []
        var fleet: [Int64] = []
        var device: [String] = []
        var issuer: [Int64] = []
        var serial: [[UInt8]] = []
        var key: [[UInt8]] = []
        var replaces: [[UInt8]?] = []
        var renewable: [[UInt8]?] = []
        var anchor: [Int64?] = []
        var at: [Date] = []
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
            anchor.append(issuance.idevidAnchor?.value)
            at.append(entry.attempt.at)
        }
        return """
            with wanted as (
                select * from unnest(\(ordinal), \(fleet), \(device), \(issuer), \(serial), \(key), \(replaces),
                                     \(renewable), \(anchor), \(at))
                    as w (ordinal, fleet_id, device_id, issuer_id, serial, key_sha256, replaces, renewable, anchor_id, at)
            ), bound as (
                insert into device_keys as k (key_sha256, fleet_id, device_id, bound_at)
                select w.key_sha256, w.fleet_id, w.device_id, w.at
                from wanted w left join devices d using (fleet_id, device_id)
                where w.replaces is not distinct from d.current_serial
                on conflict (key_sha256) do update set bound_at = k.bound_at
                    where k.fleet_id = excluded.fleet_id and k.device_id = excluded.device_id
                returning key_sha256
            ), moved as (
                update devices d
                set enrolled_at = w.at, current_issuer_id = w.issuer_id, current_serial = w.serial,
                    current_key_sha256 = w.key_sha256, renewable_serial = w.renewable, current_used_at = null,
                    idevid_anchor_id = coalesce(w.anchor_id, d.idevid_anchor_id)
                from wanted w join bound using (key_sha256)
                where d.fleet_id = w.fleet_id and d.device_id = w.device_id and d.current_serial = w.replaces
                returning w.ordinal
            ), made as (
                insert into devices (fleet_id, device_id, first_enrolled_at, enrolled_at, current_issuer_id,
                                     current_serial, current_key_sha256, renewable_serial, idevid_anchor_id)
                select w.fleet_id, w.device_id, w.at, w.at, w.issuer_id, w.serial, w.key_sha256, w.renewable,
                       w.anchor_id
                from wanted w join bound using (key_sha256)
                where w.replaces is null
                on conflict (fleet_id, device_id) do nothing
                returning fleet_id, device_id
            )
            select ordinal from moved
            union all
            select w.ordinal from made join wanted w using (fleet_id, device_id)
            """
    }

    private func queries(_ kept: [EnrollmentEntry], head: AuditWriter.Head) -> [PostgresQuery] {
        let issued = kept.compactMap { entry in entry.issuance.map { (entry.attempt, $0) } }
        var queries = [attemptsQuery(kept.map(\.attempt))]
        if !issued.isEmpty {
            queries.append(certificatesQuery(issued))
            let replaced = issued.compactMap { attempt, issuance in issuance.replaces.map { (attempt, issuance, $0) } }
            if !replaced.isEmpty {
                queries.append(
                    """
                    update certificates c set status = 'superseded'
                    from unnest(\(replaced.map(\.0.fleet.value)), \(replaced.map(\.1.device.text)),
                                \(replaced.map(\.2))) as r (fleet_id, device_id, serial)
                    where c.serial = r.serial and c.fleet_id = r.fleet_id and c.device_id = r.device_id
                        and c.status = 'valid'
                    """
                )
            }
            queries += AuditWriter.queries(
                issued.map { attempt, issuance in
                    let names = DeviceNames(device: issuance.device, fleet: attempt.fleetName)
                    return AuditEntry(
                        at: attempt.at,
                        actor: "device \(names.commonName)",
                        action: "certificate.issued",
                        subject: names.commonName,
                        detail: "serial \(Hex.text(issuance.certificate.serialNumber)), rule \(attempt.rule)"
                    )
                },
                after: head
            )
        }
        return queries
    }

    private func certificatesQuery(_ issued: [(Attempt, Issuance)]) -> PostgresQuery {
        """
        insert into certificates (issuer_id, serial, fleet_id, device_id, key_sha256, not_before, not_after, issued_at,
                                  der)
        select * from unnest(\(issued.map(\.1.issuer.value)), \(issued.map(\.1.certificate.serialNumber)),
                             \(issued.map(\.0.fleet.value)), \(issued.map(\.1.device.text)),
                             \(issued.map(\.1.publicKeySHA256)), \(issued.map(\.1.certificate.notBefore)),
                             \(issued.map(\.1.certificate.notAfter)), \(issued.map(\.0.at)),
                             \(issued.map(\.1.certificate.der)))
        """
    }

    private func attemptsQuery(_ attempts: [Attempt]) -> PostgresQuery {
        """
        insert into attempts (at, request_id, fleet_id, device_id, operation, source, credential_kind,
                              credential_sha256, credential_subject, anchor_id, key_sha256, stage, rule, outcome,
                              reason, detail, issuer_id, serial)
        select * from unnest(\(attempts.map(\.at)), \(attempts.map(\.requestID)), \(attempts.map(\.fleet.value)),
                             \(attempts.map(\.device?.text)), \(attempts.map(\.operation.rawValue)),
                             \(attempts.map(\.source)), \(attempts.map(\.credentialKind?.rawValue)),
                             \(attempts.map(\.credentialSHA256)), \(attempts.map(\.credentialSubject)),
                             \(attempts.map(\.anchor?.value)), \(attempts.map(\.publicKeySHA256)),
                             \(attempts.map(\.stage.rawValue)), \(attempts.map(\.rule)),
                             \(attempts.map(\.outcome.rawValue)), \(attempts.map(\.refusal?.reason.rawValue)),
                             \(attempts.map(\.refusal?.detail)), \(attempts.map(\.issuer?.value)),
                             \(attempts.map(\.serialNumber)))
        """
    }
}
