import Foundation

/// What is in force, and what was refused: for people, for monitoring, and for the fleet's operators.
package struct AgentStatus: Codable, Hashable, Sendable {
    package static let typeName = "muster.agent.status.v1"

    package struct TrustStore: Codable, Hashable, Sendable {
        package let version: Int64
        package let sha256: String
        /// ISO 8601, UTC.
        package let expiresAt: String
    }

    package struct List: Codable, Hashable, Sendable {
        /// The CA's subject.
        package let authority: String
        package let authoritySHA256: String
        package let number: Int64
        package let entries: Int
        /// ISO 8601, UTC.
        package let thisUpdate: String
        package let nextUpdate: String
        /// True once `nextUpdate` has passed: brokers and gateways refuse everybody.
        package let hasExpired: Bool
    }

    package struct Fault: Codable, Hashable, Sendable {
        /// What it is about: `truststore`, a CA's subject, `reload`, `files`, …
        package let about: String
        package let reason: String
        /// Since when, ISO 8601, UTC.
        package let since: String
    }

    package let type: String
    package let fleet: String
    /// When all that is in force came into force, ISO 8601, UTC; missing before that.
    package let inForceSince: String?
    package let trustStore: TrustStore?
    package let lists: [List]
    /// How often the terminator was told to read its files.
    package let reloads: Int
    /// What was refused, or did not work, and still does not.
    package let faults: [Fault]
    /// How many times anything was refused or did not work.
    package let faultsTotal: Int
    /// Revoked devices whose sessions wait for the list that refuses them.
    package let sessionsToEnd: Int
    /// The sessions of all devices that were revoked up to this message are ended, 0 before the first one;
    /// missing if that is not this agent's.
    package let sessionsThrough: Int64?

    /// Keys in a stable order.
    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return try [UInt8](encoder.encode(self)) + [0x0A]
    }

    /// As Prometheus' text format, for node_exporter's textfile collector.
    func metrics(lists inForce: [VerifiedList]) -> [UInt8] {
        var text = """
            # HELP muster_agent_trust_store_version The trust store that is in force.
            # TYPE muster_agent_trust_store_version gauge
            muster_agent_trust_store_version \(trustStore?.version ?? 0)
            # HELP muster_agent_faults What was refused or did not work, and still does not.
            # TYPE muster_agent_faults gauge
            muster_agent_faults \(faults.count)
            # HELP muster_agent_faults_total How often anything was refused or did not work.
            # TYPE muster_agent_faults_total counter
            muster_agent_faults_total \(faultsTotal)
            # HELP muster_agent_reloads_total How often the terminator was told to read its files.
            # TYPE muster_agent_reloads_total counter
            muster_agent_reloads_total \(reloads)
            # HELP muster_agent_crl_number The CRL that is in force.
            # TYPE muster_agent_crl_number gauge

            """
        for list in lists { text += "muster_agent_crl_number{authority=\"\(list.authoritySHA256)\"} \(list.number)\n" }
        text += """
            # HELP muster_agent_crl_ends_timestamp_seconds When the CRL in force ends; then everybody is refused.
            # TYPE muster_agent_crl_ends_timestamp_seconds gauge

            """
        for (list, verified) in zip(lists, inForce) {
            let end = Int64(verified.nextUpdate.timeIntervalSince1970)
            text += "muster_agent_crl_ends_timestamp_seconds{authority=\"\(list.authoritySHA256)\"} \(end)\n"
        }
        return Array(text.utf8)
    }
}
