import Enrollment
import PKI
import Postgres

/// A fleet's row as it stood before a change that holds it.
struct FleetRow {
    let id: Int64
    private let issuer: Int64
    private let policy: String
    private let approvalRetrySeconds: Int64
    private let reenrollment: String
    private let profile: PostgresJSON

    /// Locks and reads the fleet, but lets others refer to it (no key update), who would otherwise wait for this one while
    /// it waits for them; nil if there is none of that name, or if `newVersion` is not the next one of its trust
    /// store.
    static func locked(
        _ name: FleetName,
        newVersion: Int64?,
        on connection: PostgresConnection
    ) async throws -> FleetRow? {
        let rows = try await connection.query(
            """
            select f.id, f.issuer_id, f.policy, f.approval_retry_seconds, f.reenrollment, f.profile,
                   1 + (select coalesce(max(t.version), 0) from trust_stores t where t.fleet_id = f.id)
            from fleets f where f.name = \(name.text) for no key update
            """
        )
        guard let row = rows.first else { return nil }
        if let newVersion, try row.decode(at: 6, as: Int64.self) != newVersion { return nil }
        return FleetRow(
            id: try row.decode(at: 0),
            issuer: try row.decode(at: 1),
            policy: try row.decode(at: 2),
            approvalRetrySeconds: try row.decode(at: 3),
            reenrollment: try row.decode(at: 4),
            profile: try row.decode(at: 5)
        )
    }

    /// True if that issuer signs for it.
    func isSigned(by issuer: IssuerID) -> Bool { self.issuer == issuer.value }

    /// What a change to `fleet` changes, in words; empty if nothing.
    /// - Parameters:
    ///   - profile: The profile as the record gives it back after the change, which has its own way to order keys.
    ///   - removed: Names of anchors, as are the next two.
    func changes(
        to fleet: FleetCreation,
        profile: PostgresJSON?,
        removed: [String],
        changed: [String],
        added: [String]
    ) -> [String] {
        var words: [String] = []
        if policy != fleet.policy.rawValue { words.append("policy \(policy) to \(fleet.policy.rawValue)") }
        let retry = fleet.approvalRetry.components.seconds
        if approvalRetrySeconds != retry { words.append("approval retry \(approvalRetrySeconds) s to \(retry) s") }
        if reenrollment != fleet.reenrollment.rawValue {
            words.append("reenrollment \(reenrollment) to \(fleet.reenrollment.rawValue)")
        }
        if self.profile != profile { words.append("another certificate profile") }
        if issuer != fleet.issuer.value { words.append("another issuer") }
        // One that was taken away and put in again has another certificate.
        let replaced = Set(removed).intersection(added)
        for (what, names) in [
            ("anchors removed", removed.filter { !replaced.contains($0) }),
            ("anchors with another certificate", Array(replaced)),
            ("anchors changed", changed),
            ("anchors added", added.filter { !replaced.contains($0) }),
        ] where !names.isEmpty {
            words.append("\(what): \(names.sorted().joined(separator: ", "))")
        }
        return words
    }
}
