package import Foundation

/// The audit log, as operators read it.
package protocol AuditReading: Sendable {
    /// One page, newest first.
    func entries(
        subject: String?,
        before: Int64?,
        limit: Int
    ) async throws(RecordError) -> [SequencedAuditEntry]

    /// Recomputes the whole chain.
    func verify() async throws(RecordError) -> AuditVerdict
}

/// An audit entry with its place and its hash.
package struct SequencedAuditEntry: Hashable, Sendable {
    package let sequence: Int64
    package let entry: AuditEntry
    package let hash: [UInt8]

    package init(sequence: Int64, entry: AuditEntry, hash: [UInt8]) {
        self.sequence = sequence
        self.entry = entry
        self.hash = hash
    }
}

/// Issuers and trust stores, as operators read them.
package protocol TrustReading: Sendable {
    /// All issuers, by name.
    func issuers() async throws(RecordError) -> [IssuerEntry]

    /// The newest trust store of a fleet, and who has acknowledged which version.
    func trustStore(of fleet: FleetID) async throws(RecordError) -> TrustStoreEntry?
}

/// An issuer in the record.
package struct IssuerEntry: Hashable, Sendable {
    package let name: String
    /// DER, the issuing CA first, the root last.
    package let chain: [[UInt8]]
    package let createdAt: Date
    /// Names of the fleets it signs for.
    package let fleets: [String]

    package init(name: String, chain: [[UInt8]], createdAt: Date, fleets: [String]) {
        self.name = name
        self.chain = chain
        self.createdAt = createdAt
        self.fleets = fleets
    }
}

/// A fleet's newest trust store.
package struct TrustStoreEntry: Hashable, Sendable {
    package let version: TrustStoreVersion
    /// When the broker took it; nil while it waits.
    package let publishedAt: Date?
    /// Newest version first; version 0 stands for devices that acknowledged none.
    package let holders: [TrustStoreHolders]

    package init(version: TrustStoreVersion, publishedAt: Date?, holders: [TrustStoreHolders]) {
        self.version = version
        self.publishedAt = publishedAt
        self.holders = holders
    }
}

/// How many devices acknowledged a version last.
package struct TrustStoreHolders: Hashable, Sendable {
    package let version: Int64
    package let devices: Int64

    package init(version: Int64, devices: Int64) {
        self.version = version
        self.devices = devices
    }
}
