package import Enrollment
package import Foundation
import PKI
package import Postgres

/// What the record says of CRLs, for whoever compares it with what is published.
package struct PostgresCRLReading: Sendable {
    /// An issuer that has CRLs.
    package struct IssuerLists: Sendable {
        package let id: IssuerID
        package let name: String
        /// DER.
        package let certificate: [UInt8]
        /// DER of the CA at the top of its chain.
        package let root: [UInt8]
        /// The number of each shard's list.
        package let numbers: [Int: Int64]
    }

    /// A certificate that a list is to name.
    package struct Revoked: Hashable, Sendable {
        package let serialNumber: [UInt8]
        package let reason: RevocationReason
        package let revokedAt: Date
        package let notAfter: Date

        package init(serialNumber: [UInt8], reason: RevocationReason, revokedAt: Date, notAfter: Date) {
            self.serialNumber = serialNumber
            self.reason = reason
            self.revokedAt = revokedAt
            self.notAfter = notAfter
        }
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// All issuers that have CRLs, by name.
    package func issuers() async throws(RecordError) -> [IssuerLists] {
        try await recording {
            let rows = try await pool.query(
                """
                select i.id, i.name, i.certificate, i.chain[cardinality(i.chain)], c.shard, c.number from crls c join issuers i on i.id = c.issuer_id
                order by i.name, c.shard
                """
            )
            var found: [IssuerLists] = []
            for row in rows {
                var columns = row.columns
                let id = IssuerID(try columns.next(Int64.self))
                let name = try columns.next(String.self)
                let certificate = try columns.next([UInt8].self)
                let root = try columns.next([UInt8].self)
                let shard = Int(try columns.next(Int32.self))
                var numbers: [Int: Int64] = found.last?.id == id ? found.removeLast().numbers : [:]
                numbers[shard] = try columns.next(Int64.self)
                found.append(IssuerLists(id: id, name: name, certificate: certificate, root: root, numbers: numbers))
            }
            return found
        }
    }

    /// What the list of a shard is to name; `CRLShards.complete` is all of the issuer's.
    package func revoked(_ issuer: IssuerID, shard: Int) async throws(RecordError) -> [Revoked] {
        try await recording {
            let isComplete = shard == CRLShards.complete
            let rows = try await pool.query(
                """
                select serial, reason, revoked_at, not_after from revocations
                where issuer_id = \(issuer.value) and (\(isComplete) or crl_shard = \(Int32(clamping: shard)))
                """
            )
            return try rows.map(Self.entry)
        }
    }

    /// Serial numbers of certificates that an issuer issued, the latest revoked ones and the latest others, about as many
    /// of each.
    package func sample(_ issuer: IssuerID, max: Int) async throws(RecordError) -> [[UInt8]] {
        try await recording {
            let rows = try await pool.query(
                """
                (select serial from revocations where issuer_id = \(issuer.value)
                 order by revoked_at desc limit \(Int64(max / 2)))
                union
                (select c.serial from certificates c where c.issuer_id = \(issuer.value)
                 and not exists (select from revocations r where r.issuer_id = c.issuer_id and r.serial = c.serial)
                 order by c.serial desc limit \(Int64(max - max / 2)))
                """
            )
            return try rows.map { try $0.decode(at: 0) }
        }
    }

    /// How one certificate is revoked; nil if it is not.
    package func revocation(of serialNumber: [UInt8], issuer: IssuerID) async throws(RecordError) -> Revoked? {
        try await recording {
            let rows = try await pool.query(
                """
                select serial, reason, revoked_at, not_after from revocations
                where issuer_id = \(issuer.value) and serial = \(serialNumber)
                """
            )
            return try rows.first.map(Self.entry)
        }
    }

    private static func entry(_ row: PostgresRow) throws -> Revoked {
        let text = try row.decode(at: 1, as: String.self)
        guard let reason = RevocationReason(rawValue: text) else {
            throw RecordError.broken("a certificate is revoked for \(text), which this program does not know")
        }
        return Revoked(
            serialNumber: try row.decode(at: 0),
            reason: reason,
            revokedAt: try row.decode(at: 2),
            notAfter: try row.decode(at: 3)
        )
    }
}
