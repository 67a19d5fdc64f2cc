import Postgres

/// Proof that nothing was lost: every certificate that a device holds is in the record, octet for octet.
enum RecordProof {
    /// Certificates that are looked up by one statement.
    static let batch = 500

    /// Looks each certificate up by its serial number and compares it whole.
    /// - Parameter database: A libpq URI.
    static func check(_ held: [HeldCertificate], database: String) async -> Report.RecordReport {
        var found = 0
        do {
            let connection = try await PostgresConnection.connect(
                PostgresConfiguration(connectionString: database, applicationName: "muster-sim")
            )
            defer { connection.close() }
            for start in stride(from: 0, to: held.count, by: batch) {
                let part = held[start..<min(start + batch, held.count)]
                let serials = part.map(\.serial)
                let rows = try await connection.query(
                    """
                    select der from certificates
                    where issuer_id = any(array(select id from issuers)) and serial = any(\(serials))
                    """
                )
                var recorded: Set<[UInt8]> = []
                for row in rows {
                    var columns = row.columns
                    try recorded.insert(columns.next([UInt8].self))
                }
                found += part.count { recorded.contains($0.der) }
            }
            return Report.RecordReport(held: held.count, found: found, problem: nil)
        } catch {
            return Report.RecordReport(held: held.count, found: found, problem: "\(error)")
        }
    }
}
