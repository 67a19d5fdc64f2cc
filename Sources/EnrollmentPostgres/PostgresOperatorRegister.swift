package import Enrollment
package import Foundation
import PKI
package import Postgres

/// Operators in PostgreSQL. The certificates of one who was removed stay dead, also when that one comes back.
package struct PostgresOperatorRegister: OperatorRegister {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func operators() async throws(RecordError) -> [OperatorEntry] {
        try await recording {
            try await pool.query(
                """
                select o.name, o.role, o.created_at, o.created_by, o.removed_at,
                       (select max(c.not_after) from operator_certificates c
                        where c.operator = o.name and c.removed_at is null)
                from operators o order by o.name collate "C"
                """
            ).map { try OperatorEntry($0) }
        }
    }

    package func holder(ofCertificate sha256: [UInt8]) async throws(RecordError) -> OperatorEntry? {
        try await recording {
            let rows = try await pool.query(
                """
                select o.name, o.role, o.created_at, o.created_by, o.removed_at,
                       (select max(n.not_after) from operator_certificates n
                        where n.operator = o.name and n.removed_at is null)
                from operator_certificates c join operators o on o.name = c.operator
                where c.sha256 = \(sha256) and c.removed_at is null and o.removed_at is null
                """
            )
            return try rows.first.map { try OperatorEntry($0) }
        }
    }

    package func add(
        _ name: String,
        role: OperatorRole,
        certificateSHA256: [UInt8],
        notAfter: Date,
        actor: String,
        at: Date
    ) async throws(RecordError) {
        try await recording {
            try await pool.withTransaction { connection in
                let results = try await connection.pipeline([
                    """
                    insert into operators (name, role, created_at, created_by)
                    values (\(name), \(role.rawValue), \(at), \(actor))
                    on conflict (name) do update set role = excluded.role, removed_at = null
                    returning xmax = 0
                    """,
                    """
                    insert into operator_certificates (sha256, operator, not_after, issued_at)
                    values (\(certificateSHA256), \(name), \(notAfter), \(at)) on conflict (sha256) do nothing
                    """,
                    """
                    select operator, removed_at is not null from operator_certificates
                    where sha256 = \(certificateSHA256)
                    """,
                ])
                guard let row = results[2].first, try row.decode(at: 0, as: String.self) == name,
                    try !row.decode(at: 1, as: Bool.self)
                else {
                    throw RecordError.broken(
                        "the certificate is another operator's or was taken away; issue a fresh one"
                    )
                }
                let isNew = try results[0].first?.decode(as: Bool.self) ?? false
                try await Audited.append(
                    AuditEntry(
                        at: at,
                        actor: actor,
                        action: isNew ? "operator.added" : "operator.changed",
                        subject: AuditSubject.holder(name),
                        detail: "role \(role.rawValue), certificate \(Hex.text(certificateSHA256))"
                    ),
                    on: connection
                )
            }
        }
    }

    package func remove(_ name: String, actor: String, at: Date) async throws(RecordError) -> Bool {
        try await recording {
            try await pool.withTransaction { connection in
                let results = try await connection.pipeline([
                    "update operators set removed_at = \(at) where name = \(name) and removed_at is null",
                    """
                    update operator_certificates set removed_at = \(at)
                    where operator = \(name) and removed_at is null
                    """,
                    "select exists (select from operators where name = \(name))",
                ])
                if results[0].affectedRows > 0 {
                    try await Audited.append(
                        AuditEntry(
                            at: at,
                            actor: actor,
                            action: "operator.removed",
                            subject: AuditSubject.holder(name),
                            detail: ""
                        ),
                        on: connection
                    )
                }
                return try results[2].first?.decode(as: Bool.self) ?? false
            }
        }
    }
}

extension OperatorEntry {
    fileprivate init(_ row: PostgresRow) throws {
        var columns = row.columns
        let name = try columns.next(String.self)
        guard let role = OperatorRole(rawValue: try columns.next(String.self)) else {
            throw RecordError.broken("the operator \(name) has a role that this program does not know")
        }
        self.init(
            name: name,
            role: role,
            createdAt: try columns.next(),
            createdBy: try columns.next(),
            removedAt: try columns.next(Date?.self),
            notAfter: try columns.next(Date?.self)
        )
    }
}
