import Enrollment
import Postgres

/// Appends to the audit chain within a transaction that holds its end.
enum AuditWriter {
    /// Takes the end of the chain; other writers wait until the transaction ends.
    static let lockQuery: PostgresQuery = "select seq, hash from audit_head for update"

    /// The end of the chain.
    struct Head {
        let sequence: Int64
        let hash: [UInt8]

        init(_ rows: PostgresRows) throws {
            guard let row = rows.first else { throw RecordError.broken("audit_head is empty; restore it") }
            sequence = try row.decode(at: 0)
            hash = try row.decode(at: 1)
        }
    }

    /// The statements that append `entries` after `head`.
    static func queries(_ entries: [AuditEntry], after head: Head) -> [PostgresQuery] {
        guard !entries.isEmpty else { return [] }
        var sequences: [Int64] = []
        var hashes: [[UInt8]] = []
        var previous = head.hash
        for (index, entry) in entries.enumerated() {
            let sequence = head.sequence + Int64(index) + 1
            previous = AuditChain.hash(entry, sequence: sequence, previous: previous)
            sequences.append(sequence)
            hashes.append(previous)
        }
        return [
            """
            insert into audit (seq, at, actor, action, subject, detail, hash)
            select * from unnest(\(sequences), \(entries.map(\.at)), \(entries.map(\.actor)), \(entries.map(\.action)),
                                 \(entries.map(\.subject)), \(entries.map(\.detail)), \(hashes))
            """,
            "update audit_head set seq = \(head.sequence + Int64(entries.count)), hash = \(previous)",
        ]
    }
}
