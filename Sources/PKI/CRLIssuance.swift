package import Foundation
import OpenSSL

/// A certificate as a CRL lists it.
package struct RevokedCertificate: Hashable, Sendable {
    package let serialNumber: [UInt8]
    package let revokedAt: Date
    /// The code of RFC 5280 section 5.3.1.
    package let reason: UInt8

    package init(serialNumber: [UInt8], revokedAt: Date, reason: UInt8) {
        self.serialNumber = serialNumber
        // As lists write it, so that what was read from one compares.
        self.revokedAt = Date(timeIntervalSince1970: revokedAt.timeIntervalSince1970.rounded(.down))
        self.reason = reason
    }
}

/// A CRL with its delta, as both were signed together.
package struct SignedCRL: Hashable, Sendable {
    /// That of the list and of its delta: they are one series (RFC 5280 section 5.2.4).
    package let number: Int64
    package let thisUpdate: Date
    package let nextUpdate: Date
    /// The URIs of its distribution point; none if it lists all of its issuer's certificates.
    package let places: [String]
    /// DER.
    package let list: [UInt8]
    /// DER: what makes `list` of `base`.
    package let delta: [UInt8]
    /// DER: the list from which deltas count.
    package let base: [UInt8]
    /// Its number.
    package let baseNumber: Int64

    package init(
        number: Int64,
        thisUpdate: Date,
        nextUpdate: Date,
        places: [String],
        list: [UInt8],
        delta: [UInt8],
        base: [UInt8],
        baseNumber: Int64
    ) {
        self.number = number
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        self.places = places
        self.list = list
        self.delta = delta
        self.base = base
        self.baseNumber = baseNumber
    }
}

/// One list that is to be signed.
package struct CRLOrder: Sendable {
    /// The list in whose place it comes; nil if it is the first.
    package let previous: SignedCRL?
    package let entries: [RevokedCertificate]
    package let places: [String]
    /// URIs of its delta, if relying parties can fetch that.
    package let freshest: [String]
    /// True if it becomes the base of the deltas that follow.
    package let isBase: Bool
    package let lifetime: Duration

    package init(
        previous: SignedCRL?,
        entries: [RevokedCertificate],
        places: [String],
        freshest: [String],
        isBase: Bool,
        lifetime: Duration
    ) {
        self.previous = previous
        self.entries = entries
        self.places = places
        self.freshest = freshest
        self.isBase = isBase
        self.lifetime = lifetime
    }
}

extension Issuer {
    /// Signs a list and its delta. Numbers rise and times never run backwards, whatever the clock does.
    package func sign(_ order: CRLOrder, at now: Date) throws(SigningError) -> SignedCRL {
        let number = (order.previous?.number ?? 0) + 1
        let second = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down))
        let thisUpdate = max(second, order.previous?.thisUpdate ?? second)
        let nextUpdate = max(
            thisUpdate.addingTimeInterval(order.lifetime.inSeconds),
            order.previous?.nextUpdate ?? thisUpdate
        )
        let list = try sign(
            RevocationList(
                number: number,
                thisUpdate: thisUpdate,
                nextUpdate: nextUpdate,
                places: order.places,
                entries: order.entries.map(\.entry)
            ),
            freshest: order.freshest
        )
        // A list that has no base yet is its own.
        let previous = order.isBase ? nil : order.previous
        let (base, baseNumber) = previous.map { ($0.base, $0.baseNumber) } ?? (list, number)
        let delta = try sign(
            RevocationList(
                number: number,
                baseNumber: baseNumber,
                thisUpdate: thisUpdate,
                nextUpdate: nextUpdate,
                places: order.places,
                entries: Self.changes(from: entries(of: base), to: order.entries)
            )
        )
        return SignedCRL(
            number: number,
            thisUpdate: thisUpdate,
            nextUpdate: nextUpdate,
            places: order.places,
            list: list,
            delta: delta,
            base: base,
            baseNumber: baseNumber
        )
    }

    private func entries(of base: [UInt8]) throws(SigningError) -> [RevocationList.Entry] {
        do {
            return try RevocationList.ownEntries(base)
        } catch {
            throw .failed("the list that deltas count from cannot be read: \(error)")
        }
    }

    /// What a delta lists: what came or changed, and what went, whose hold has ended or which has expired. Both lists come
    /// sorted by serial number, and sorting what is sorted costs little.
    private static func changes(
        from base: [RevocationList.Entry],
        to entries: [RevokedCertificate]
    ) -> [RevocationList.Entry] {
        var before = base.sorted { $0.serialNumber.lexicographicallyPrecedes($1.serialNumber) }[...]
        var came: [RevocationList.Entry] = []
        var went: [RevocationList.Entry] = []
        func goes(_ entry: RevocationList.Entry) {
            went.append(
                RevocationList.Entry(
                    serialNumber: entry.serialNumber,
                    revokedAt: entry.revokedAt,
                    reason: RevocationList.removeFromCRL
                )
            )
        }
        for one in entries.sorted(by: { $0.serialNumber.lexicographicallyPrecedes($1.serialNumber) }) {
            while let next = before.first, next.serialNumber.lexicographicallyPrecedes(one.serialNumber) {
                goes(next)
                before.removeFirst()
            }
            if let next = before.first, next.serialNumber == one.serialNumber {
                before.removeFirst()
                if next == one.entry { continue }
            }
            came.append(one.entry)
        }
        before.forEach(goes)
        return came + went
    }
}

extension RevokedCertificate {
    fileprivate var entry: RevocationList.Entry {
        RevocationList.Entry(serialNumber: serialNumber, revokedAt: revokedAt, reason: reason)
    }
}
