package import Foundation
package import PKI

/// What an agent says is in force beside its broker or gateway.
package struct AgentReport: Hashable, Sendable {
    /// The most lists of a report: a fleet trusts few CAs.
    package static let listsMax = 64

    package let trustStoreVersion: Int64?
    /// By SHA-256 of the CA's certificate, the number of its CRL.
    package let lists: [[UInt8]: Int64]
    /// The sessions of devices revoked up to this audit entry are ended; nil if it ends none.
    package let sessionsThrough: Int64?
    package let faults: Int

    package init(trustStoreVersion: Int64?, lists: [[UInt8]: Int64], sessionsThrough: Int64?, faults: Int) {
        self.trustStoreVersion = trustStoreVersion
        self.lists = lists
        self.sessionsThrough = sessionsThrough
        self.faults = faults
    }
}

/// What a report brought: for each revocation that it is the first to tell of, the seconds since the operator's answer.
package struct AgentAdvance: Hashable, Sendable {
    /// That came into force.
    package var inForce: [Double] = []
    /// Whose sessions were ended.
    package var sessionsEnded: [Double] = []

    package init() {}
}

/// Where agents' reports go.
package protocol AgentRecord: Sendable {
    /// Notes what an agent reports. What it says never goes back: reports may come twice, and in any order.
    /// - Returns: Nil if there is no such device, if it is revoked, or if the fleet has `agentsMax` others.
    func report(
        _ report: AgentReport,
        of names: DeviceNames,
        at: Date
    ) async throws(RecordError) -> AgentAdvance?
}

/// How far revocations have come, as operators look at them.
package protocol RevocationProgressReading: Sendable {
    /// Nil if there is no such device, or if it is not revoked.
    func progress(of device: DeviceID, fleet: FleetID) async throws(RecordError) -> RevocationProgress?
}

/// Agents, as operators look at them.
package protocol AgentReading: Sendable {
    /// A fleet's agents, by name; without those that were revoked.
    func agents(of fleet: FleetID) async throws(RecordError) -> [AgentEntry]
}
