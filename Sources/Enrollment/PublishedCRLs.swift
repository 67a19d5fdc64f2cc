import Crypto
package import Foundation
import PKI
import Synchronization

/// One of an issuer's CRLs: which.
package struct CRLScope: Hashable, Sendable {
    package let issuer: IssuerID
    /// `CRLShards.complete` or one of its shards.
    package let shard: Int

    package init(issuer: IssuerID, shard: Int) {
        self.issuer = issuer
        self.shard = shard
    }
}

/// A CRL as anyone may fetch it.
package struct PublishedCRL: Hashable, Sendable {
    /// Octets of a CRL with the tag that HTTP knows them by.
    package struct Document: Hashable, Sendable {
        /// DER.
        package let der: [UInt8]
        /// Not as text, which would take three times as much of each of a thousand lists.
        private let digest: SHA256.Digest

        package init(_ der: [UInt8]) {
            self.der = der
            digest = SHA256.hash(data: der)
        }

        /// SHA-256 in hexadecimal digits.
        package var tag: String { Hex.text(digest) }
    }

    package let issuerName: String
    package let number: Int64
    package let thisUpdate: Date
    package let nextUpdate: Date
    package let list: Document
    package let delta: Document
    /// True if no other list of its place was ever given out with its `thisUpdate`, as far as is known here: several that
    /// are signed within a second, or while the clock lies behind, have the same.
    package fileprivate(set) var hasOwnSecond = false

    package init(
        issuerName: String,
        number: Int64,
        thisUpdate: Date,
        nextUpdate: Date,
        list: Document,
        delta: Document
    ) {
        self.issuerName = issuerName
        self.number = number
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        self.list = list
        self.delta = delta
    }
}

/// The CRLs that are served, in memory: they outlast the record's absence. Memory is what the lists take, some 55 octets
/// an entry, twice, since each entry stands in a shard and in the list of all.
package final class PublishedCRLs: Sendable {
    private let lists = Mutex<[CRLScope: PublishedCRL]>([:])
    private let scopes = Mutex<[String: [Int: CRLScope]]>([:])

    package init() {}

    /// The list of an issuer's shard, by the issuer's name.
    package func list(issuer: String, shard: Int) -> PublishedCRL? {
        guard let scope = scopes.withLock({ $0[issuer]?[shard] }) else { return nil }
        return lists.withLock { $0[scope] }
    }

    /// The number of one list.
    package func number(of scope: CRLScope) -> Int64? { lists.withLock { $0[scope]?.number } }

    /// The number of each list.
    package var numbers: [CRLScope: Int64] { lists.withLock { $0.mapValues(\.number) } }

    /// An issuer's lists together.
    package struct Summary: Hashable, Sendable {
        package let issuer: String
        package let count: Int
        /// When the oldest of them began.
        package let thisUpdate: Date
        /// When the first of them ends.
        package let nextUpdate: Date
        /// Of the largest.
        package let octetsMax: Int
    }

    /// Each issuer's lists together, by the issuers' names.
    package var summaries: [Summary] {
        let all = lists.withLock { Array($0.values) }
        return Dictionary(grouping: all, by: \.issuerName).sorted { $0.key < $1.key }.map { name, lists in
            Summary(
                issuer: name,
                count: lists.count,
                thisUpdate: lists.map(\.thisUpdate).min() ?? .distantPast,
                nextUpdate: lists.map(\.nextUpdate).min() ?? .distantPast,
                octetsMax: lists.map(\.list.der.count).max() ?? 0
            )
        }
    }

    private static func hasOwnSecond(_ list: PublishedCRL, after previous: PublishedCRL?) -> Bool {
        // Of one that was signed between the two nothing is known.
        guard let previous, previous.number == list.number - 1 else { return list.number == 1 }
        return previous.thisUpdate < list.thisUpdate
    }

    /// Puts lists in the places of earlier ones.
    package func put(_ changed: [CRLScope: PublishedCRL]) {
        lists.withLock { lists in
            for (scope, var list) in changed {
                list.hasOwnSecond = Self.hasOwnSecond(list, after: lists[scope])
                lists[scope] = list
            }
        }
        scopes.withLock { scopes in
            for (scope, list) in changed { scopes[list.issuerName, default: [:]][scope.shard] = scope }
        }
    }
}
