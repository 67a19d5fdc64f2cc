import Foundation

/// What does not work at the moment, each matter once.
struct FaultLedger {
    /// The most matters that are kept.
    private static let countMax = 64

    private var faults: [String: AgentStatus.Fault] = [:]
    /// How often anything was noted.
    private(set) var total = 0

    /// By matter.
    var standing: [AgentStatus.Fault] { faults.values.sorted { $0.about < $1.about } }

    /// - Returns: True if this is news.
    mutating func note(_ about: String, _ reason: String, at: Date) -> Bool {
        total += 1
        guard faults[about]?.reason != reason, faults.count < Self.countMax || faults[about] != nil else {
            return false
        }
        faults[about] = AgentStatus.Fault(about: about, reason: reason, since: at.formatted(.iso8601))
        return true
    }

    /// It works again.
    mutating func settle(_ about: String) { faults[about] = nil }
}
