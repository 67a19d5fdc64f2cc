import Enrollment
import Postgres

/// Puts an entry at the end of the audit chain within an open transaction. Whoever holds that end keeps all others
/// waiting, so a long transaction takes it last; but one that changes rows which enrollments change too takes it first,
/// as they do, since the two would wait for each other otherwise.
enum Audited {
    /// Waits for the end of the chain, and tells the fleet's name for the entry.
    static func lock(
        _ fleet: FleetID,
        on connection: PostgresConnection
    ) async throws -> (head: AuditWriter.Head, fleetName: String) {
        let results = try await connection.pipeline([
            AuditWriter.lockQuery, "select name from fleets where id = \(fleet.value)",
        ])
        guard let name = try results[1].first?.decode(as: String.self) else {
            throw RecordError.broken("there is no fleet of the id \(fleet.value)")
        }
        return (try AuditWriter.Head(results[0]), name)
    }

    /// Takes the end of the chain, as the last thing that the transaction does.
    static func append(
        to fleet: FleetID,
        on connection: PostgresConnection,
        _ entry: (_ fleetName: String) -> AuditEntry
    ) async throws {
        let (head, name) = try await lock(fleet, on: connection)
        _ = try await connection.pipeline(AuditWriter.queries([entry(name)], after: head))
    }

    /// The same, for what is of no fleet.
    static func append(_ entry: AuditEntry, on connection: PostgresConnection) async throws {
        let head = try AuditWriter.Head(try await connection.query(AuditWriter.lockQuery))
        _ = try await connection.pipeline(AuditWriter.queries([entry], after: head))
    }
}
