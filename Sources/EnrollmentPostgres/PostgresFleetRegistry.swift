package import Enrollment
package import Foundation
package import PKI
package import Postgres
import X509

/// Makes and changes fleets in PostgreSQL: each call one transaction with its audit entry and its outbox event.
package struct PostgresFleetRegistry: FleetRegistry {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func register(
        _ issuer: IssuerRegistration,
        actor: String,
        at: Date
    ) async throws(RecordError) -> IssuerID {
        try await recording {
            try await pool.withTransaction { connection in
                let der = issuer.chain.der[0]
                let head = try AuditWriter.Head(try await connection.query(AuditWriter.lockQuery))
                let found = try await connection.query("select id from issuers where certificate = \(der)")
                if let row = found.first { return IssuerID(try row.decode(at: 0)) }
                let made = try await connection.query(
                    """
                    insert into issuers (name, certificate, chain)
                    values (\(issuer.name), \(der), \(Array(issuer.chain.der.dropFirst()))) returning id
                    """
                )
                guard let row = made.first else { throw RecordError.broken("the issuer was not made") }
                let entry = AuditEntry(
                    at: at,
                    actor: actor,
                    action: "issuer.registered",
                    subject: issuer.name,
                    detail: "\(issuer.chain.issuing.subject)"
                )
                _ = try await connection.pipeline(AuditWriter.queries([entry], after: head))
                return IssuerID(try row.decode(at: 0))
            }
        }
    }

    package func standing(of fleet: FleetName) async throws(RecordError) -> FleetStanding? {
        try await recording {
            let results = try await pool.pipeline([
                "select issuer_id from fleets where name = \(fleet.text)",
                """
                select i.id, i.name, i.certificate, i.chain, i.rollover
                from fleets f join fleet_issuers fi on fi.fleet_id = f.id join issuers i on i.id = fi.issuer_id
                where f.name = \(fleet.text) order by i.id
                """,
                """
                select t.version, t.issued_at, t.expires_at, t.message, t.message_sha256, t.certificates
                from fleets f join trust_stores t on t.fleet_id = f.id
                where f.name = \(fleet.text) order by t.version desc limit 1
                """,
            ])
            guard let row = results[0].first else { return nil }
            return FleetStanding(
                signing: IssuerID(try row.decode(at: 0)),
                trusted: try results[1].compactMap { row in
                    // An issuer whose time has run out counts no more, and must not keep the fleet from being changed.
                    do { return try IssuerRow.decode(row, from: 0) } catch is ChainDefect { return nil }
                },
                trustStore: try results[2].first.map { row in
                    TrustStoreVersion(
                        version: try row.decode(at: 0),
                        issuedAt: try row.decode(at: 1),
                        expiresAt: try row.decode(at: 2),
                        message: try row.decode(at: 3),
                        messageSHA256: try row.decode(at: 4),
                        certificates: try row.decode(at: 5)
                    )
                }
            )
        }
    }

    package func create(
        _ fleet: FleetCreation,
        trustStore: TrustStoreVersion,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool {
        try await recording {
            let profile = PostgresJSON(text: try ProfileDocument(fleet.profile).json())
            return try await pool.withTransaction { connection in
                let head = try AuditWriter.Head(try await connection.query(AuditWriter.lockQuery))
                let made = try await connection.query(
                    """
                    insert into fleets (name, issuer_id, policy, approval_retry_seconds, reenrollment, profile)
                    values (\(fleet.name.text), \(fleet.issuer.value), \(fleet.policy.rawValue),
                            \(fleet.approvalRetry.components.seconds), \(fleet.reenrollment.rawValue), \(profile))
                    on conflict (name) do nothing returning id
                    """
                )
                guard let id = try made.first?.decode(at: 0, as: Int64.self) else { return false }
                let entries = [
                    AuditEntry(
                        at: at,
                        actor: actor,
                        action: "fleet.created",
                        subject: fleet.name.text,
                        detail: "policy \(fleet.policy.rawValue), anchors \(fleet.anchors.map(\.name))"
                    ),
                    Self.signed(trustStore, fleet: fleet.name, actor: actor, at: at),
                ]
                _ = try await connection.pipeline(
                    [
                        "insert into fleet_issuers (fleet_id, issuer_id) values (\(id), \(fleet.issuer.value))",
                        AnchorStatements.insert(fleet.anchors, fleet: id, at: at),
                    ] + Self.publish(trustStore, fleet: id, name: fleet.name, at: at)
                        + AuditWriter.queries(entries, after: head) + [RecordChanges.notifyQuery(.fleets)]
                )
                return true
            }
        }
    }

    package func update(
        _ fleet: FleetCreation,
        trusted: [IssuerID],
        trustStore: TrustStoreVersion?,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool {
        try await recording {
            let profile = PostgresJSON(text: try ProfileDocument(fleet.profile).json())
            return try await pool.withTransaction { connection in
                let head = try AuditWriter.Head(try await connection.query(AuditWriter.lockQuery))
                guard
                    let before = try await FleetRow.locked(fleet.name, newVersion: trustStore?.version, on: connection)
                else { return false }
                // Without a trust store the issuer stays; if another came in between, the caller decides anew.
                if trustStore == nil, !before.isSigned(by: fleet.issuer) { return false }
                var queries: [PostgresQuery] = [
                    """
                    update fleets set issuer_id = \(fleet.issuer.value), policy = \(fleet.policy.rawValue),
                                      approval_retry_seconds = \(fleet.approvalRetry.components.seconds),
                                      reenrollment = \(fleet.reenrollment.rawValue),
                                      profile = \(profile)
                    where id = \(before.id)
                    returning profile
                    """
                ]
                queries += AnchorStatements.replace(fleet.anchors, fleet: before.id, at: at)
                let results = try await connection.pipeline(queries)
                let names = try results.dropFirst().map { try $0.map { try $0.decode(as: String.self) } }
                let changes = before.changes(
                    to: fleet,
                    profile: try results[0].first?.decode(as: PostgresJSON.self),
                    removed: names[0],
                    changed: names[1],
                    added: names[2]
                )
                var entries: [AuditEntry] = []
                var last: [PostgresQuery] = []
                if !changes.isEmpty {
                    entries.append(
                        AuditEntry(
                            at: at,
                            actor: actor,
                            action: "fleet.changed",
                            subject: fleet.name.text,
                            detail: changes.joined(separator: "; ")
                        )
                    )
                }
                if let trustStore {
                    last += Self.trust(trusted, fleet: before.id)
                    last += Self.publish(trustStore, fleet: before.id, name: fleet.name, at: at)
                    entries.append(Self.signed(trustStore, fleet: fleet.name, actor: actor, at: at))
                }
                if entries.isEmpty { return true }
                last += AuditWriter.queries(entries, after: head) + [RecordChanges.notifyQuery(.fleets)]
                _ = try await connection.pipeline(last)
                return true
            }
        }
    }

    package func change(
        _ fleet: FleetName,
        signing: IssuerID,
        trusted: [IssuerID],
        trustStore: TrustStoreVersion,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool {
        try await recording {
            try await pool.withTransaction { connection in
                let head = try AuditWriter.Head(try await connection.query(AuditWriter.lockQuery))
                guard let before = try await FleetRow.locked(fleet, newVersion: trustStore.version, on: connection)
                else { return false }
                _ = try await connection.pipeline(
                    ["update fleets set issuer_id = \(signing.value) where id = \(before.id)"]
                        + Self.trust(trusted, fleet: before.id)
                        + Self.publish(trustStore, fleet: before.id, name: fleet, at: at)
                        + AuditWriter.queries(
                            [Self.signed(trustStore, fleet: fleet, actor: actor, at: at)],
                            after: head
                        ) + [RecordChanges.notifyQuery(.fleets)]
                )
                return true
            }
        }
    }

    /// Which issuers count from now on, and no others.
    private static func trust(_ trusted: [IssuerID], fleet: Int64) -> [PostgresQuery] {
        [
            "delete from fleet_issuers where fleet_id = \(fleet) and issuer_id <> all (\(trusted.map(\.value)))",
            """
            insert into fleet_issuers (fleet_id, issuer_id)
            select \(fleet), * from unnest(\(trusted.map(\.value))) on conflict do nothing
            """,
        ]
    }

    /// The trust store and its event, in the transaction that caused them.
    private static func publish(
        _ trustStore: TrustStoreVersion,
        fleet: Int64,
        name: FleetName,
        at: Date
    ) -> [PostgresQuery] {
        [
            """
            insert into trust_stores (fleet_id, version, issued_at, expires_at, message, message_sha256, certificates)
            values (\(fleet), \(trustStore.version), \(trustStore.issuedAt), \(trustStore.expiresAt),
                    \(trustStore.message), \(trustStore.messageSHA256), \(trustStore.certificates))
            """
        ]
            + OutboxWriter.queries(
                fleet: fleet,
                topic: Topics.trustStore(name),
                payload: trustStore.message,
                retained: true,
                at: at
            )
    }

    private static func signed(
        _ trustStore: TrustStoreVersion,
        fleet: FleetName,
        actor: String,
        at: Date
    ) -> AuditEntry {
        AuditEntry(
            at: at,
            actor: actor,
            action: "truststore.signed",
            subject: fleet.text,
            detail: "version \(trustStore.version), sha256 \(Hex.text(trustStore.messageSHA256))"
        )
    }
}
