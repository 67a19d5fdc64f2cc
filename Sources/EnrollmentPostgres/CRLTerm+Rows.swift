import Enrollment
import Foundation
import PKI
import Postgres

/// Lists, what they are to name, and what they lack, as rows of the record.
extension CRLTerm {
    /// The lists that lack a change, by issuer.
    static func changes(_ rows: PostgresRows) throws -> [IssuerID: Set<Int>] {
        try rows.reduce(into: [:]) { changed, row in
            changed[IssuerID(try row.decode(at: 0)), default: []].insert(Int(try row.decode(at: 1, as: Int32.self)))
        }
    }

    static func lists(_ rows: PostgresRows) throws -> [Int: SignedCRL] {
        try rows.reduce(into: [:]) { lists, row in
            var columns = row.columns
            let shard = Int(try columns.next(Int32.self))
            lists[shard] = SignedCRL(
                number: try columns.next(),
                thisUpdate: try columns.next(),
                nextUpdate: try columns.next(),
                places: try columns.next(),
                list: [],
                delta: [],
                base: try columns.next(),
                baseNumber: try columns.next()
            )
        }
    }

    /// Of each shard. A certificate that has ended stays until one list after its end has it.
    static func entries(
        _ rows: PostgresRows,
        previous: [Int: SignedCRL]
    ) throws -> [Int: [RevokedCertificate]] {
        try rows.reduce(into: [:]) { entries, row in
            var columns = row.columns
            let shard = Int(try columns.next(Int32.self))
            let serial = try columns.next([UInt8].self)
            let revokedAt = try columns.next(Date.self)
            let text = try columns.next(String.self)
            let notAfter = try columns.next(Date.self)
            guard let reason = RevocationReason(rawValue: text) else {
                throw RecordError.broken("a certificate is revoked for \(text), which this program does not know")
            }
            if let last = previous[shard]?.thisUpdate, notAfter < last { return }
            entries[shard, default: []].append(
                RevokedCertificate(serialNumber: serial, revokedAt: revokedAt, reason: reason.code)
            )
        }
    }

    /// Of each shard with changes, the last audit entry whose change is in the list now: those before it are committed, since
    /// each holds the end of the audit chain until its own commit. 0 if only a server that knew no stages made changes.
    static func taken(_ changes: PostgresRows) throws -> [Int: Int64] {
        try changes.reduce(into: [:]) { taken, row in
            let shard = Int(try row.decode(at: 1, as: Int32.self))
            taken[shard] = max(taken[shard] ?? 0, try row.decode(at: 2, as: Int64?.self) ?? 0)
        }
    }

    static func note(
        _ list: SignedCRL,
        through: Int64,
        shard: Int,
        issuer: IssuerID,
        at: Date
    ) -> PostgresQuery {
        """
        with reached as (
            update crls set through = greatest(through, \(through))
            where issuer_id = \(issuer.value) and shard = \(Int32(clamping: shard))
            returning through
        )
        insert into crl_signings (issuer_id, shard, number, through, signed_at)
        select \(issuer.value), \(Int32(clamping: shard)), \(list.number), through, \(at) from reached
        """
    }

    static func put(_ list: SignedCRL, shard: Int, issuer: IssuerID) -> PostgresQuery {
        let shard = Int32(clamping: shard)
        // The base is as long as the list, and stays as it is most of the time.
        guard list.baseNumber == list.number else {
            return """
                update crls
                set number = \(list.number), this_update = \(list.thisUpdate), next_update = \(list.nextUpdate),
                    places = \(list.places), list = \(list.list), delta = \(list.delta)
                where issuer_id = \(issuer.value) and shard = \(shard)
                """
        }
        return """
            insert into crls (issuer_id, shard, number, this_update, next_update, places, list, delta, base, base_number)
            values (\(issuer.value), \(shard), \(list.number), \(list.thisUpdate), \(list.nextUpdate),
                    \(list.places), \(list.list), \(list.delta), \(list.base), \(list.baseNumber))
            on conflict (issuer_id, shard) do update
            set number = excluded.number, this_update = excluded.this_update, next_update = excluded.next_update,
                places = excluded.places, list = excluded.list, delta = excluded.delta, base = excluded.base,
                base_number = excluded.base_number
            """
    }
}
