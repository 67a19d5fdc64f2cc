package import PKI

/// What a request to the public front brought.
package enum Fetched: Hashable, Sendable {
    /// What the tag names is still what is there.
    case unchanged
    /// There is no such thing.
    case missing
    /// Octets, from a stranger until they are verified, and the tag to ask with the next time.
    case document([UInt8], tag: String?)
}

/// Where trust stores and CRLs are published.
package protocol PublicFront: Sendable {
    /// The fleet's newest trust store, CMS SignedData, DER.
    /// - Parameter tag: Of what the caller has already.
    func trustStore(of fleet: FleetName, unless tag: String?) async throws -> Fetched
    /// The list of all certificates that a CA revoked, DER.
    /// - Parameter authority: SHA-256 of the CA's certificate, lower-case hexadecimal.
    func revocationList(of authority: String, unless tag: String?) async throws -> Fetched
}

/// The server whose files are kept: a broker, a gateway.
package protocol Terminator: Sendable {
    /// Has it read its files again. Returns when it has been told.
    func reload() async throws
    /// Ends the sessions of clients by their names (`<DeviceID>@<fleet>`); nothing becomes of those that have none.
    func endSessions(of clients: [String]) async throws
}

/// Who is told what is in force.
package protocol AgentAudience: Sendable {
    /// Tells that a trust store is in force.
    /// - Parameter sha256: Of its message, lower-case hexadecimal.
    func acknowledge(trustStore version: Int64, sha256: String) async throws
    /// Tells all that is in force.
    func tell(_ status: AgentStatus) async throws
}
