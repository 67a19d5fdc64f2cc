import Enrollment
import Foundation
import PKI
import Postgres

/// One group of entries as one transaction, in two round trips: the first takes the end of the audit chain and finds
/// out who won and what is new, the second writes everything and commits. Between them those that were foreseen are
/// authorized, and are signed.
struct EnrollmentTransaction {
    let entries: [EnrollmentEntry]
    let webhooks: WebhookWriter

    func run(on connection: PostgresConnection) async throws -> [CommitOutcome] {
        // Before the end of the audit chain is held, since others wait for that.
        let events = webhooks.subscriptions.isEmpty ? [] : entries.map { WebhookEvent($0) }
        do {
            let attention = OperatorAttention(entries)
            let opened = try await connection.pipeline(
                ["begin", AuditWriter.lockQuery, EnrollmentContest(entries).query] + attention.queries
            )
            let winners = try Set(opened[2].map { Int(try $0.decode(at: 0, as: Int32.self)) })
            let head = try AuditWriter.Head(opened[1])
            let kept = entries.enumerated().filter { $0.element.issuance == nil || winners.contains($0.offset) }
            let news = try attention.news(opened.dropFirst(3), tellsWebhooks: !webhooks.subscriptions.isEmpty)
            let told = webhooks.queries(events.isEmpty ? [] : kept.compactMap { events[$0.offset] } + news.webhooks)
            _ = try await connection.pipeline(
                try queries(kept.map(\.element), raised: news.audit, head: head) + told + ["commit"]
            )
            return entries.enumerated().map { index, entry in
                entry.issuance == nil || winners.contains(index) ? .recorded : .lostRace
            }
        } catch {
            // Whatever failed, nothing of the group stays, and the connection is fit for the next one or is given up.
            _ = try? await connection.query("rollback")
            throw error
        }
    }

    private func queries(
        _ kept: [EnrollmentEntry],
        raised: [AuditEntry],
        head: AuditWriter.Head
    ) throws -> [PostgresQuery] {
        let issued = kept.compactMap { entry in entry.issuance.map { (entry.attempt, $0) } }
        var queries = [attemptsQuery(kept.map(\.attempt))]
        if !issued.isEmpty {
            queries.append(try certificatesQuery(issued))
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
            queries += AdmissionTally(issued).queries
        }
        let entries = issued.map { attempt, issuance in
            let names = DeviceNames(device: issuance.device, fleet: attempt.fleetName)
            return AuditEntry(
                at: attempt.at,
                actor: "device \(names.commonName)",
                action: "certificate.issued",
                subject: names.commonName,
                detail: "serial \(Hex.text(issuance.certificate.serialNumber)), rule \(attempt.rule)"
            )
        }
        return queries + AuditWriter.queries(entries + raised, after: head)
    }

    private func certificatesQuery(_ issued: [(Attempt, Issuance)]) throws -> PostgresQuery {
        let certificates = try issued.map { try $0.1.certificate.signed().der }
        return """
            insert into certificates (issuer_id, serial, fleet_id, device_id, key_sha256, not_before, not_after, issued_at,
                                      crl_shard, der)
            select * from unnest(\(issued.map(\.1.issuer.value)), \(issued.map(\.1.certificate.serialNumber)),
                                 \(issued.map(\.0.fleet.value)), \(issued.map(\.1.device.text)),
                                 \(issued.map(\.1.publicKeySHA256)), \(issued.map(\.1.certificate.notBefore)),
                                 \(issued.map(\.1.certificate.notAfter)), \(issued.map(\.0.at)),
                                 \(issued.map { Int32(clamping: $0.1.certificate.crlShard) }),
                                 \(certificates))
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
