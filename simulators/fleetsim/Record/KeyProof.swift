import Postgres

/// Proof that nothing was issued twice: the unrevoked certificates that the record has for each DeviceID and key, which
/// are one where a device only came again for what it was given before.
enum KeyProof {
    /// What the record has of the devices that were played.
    struct Finding: Codable, Hashable, Sendable {
        /// DeviceIDs and keys with a certificate.
        var keys = 0
        /// The most unrevoked certificates that one of them has.
        var certificatesMost = 0
        /// How many have more than one.
        var repeated = 0
        /// Why it could not be looked at; nil if it was.
        var problem: String?
    }

    /// - Parameters:
    ///   - deviceIDs: Each once.
    ///   - fleet: Their fleet's name.
    ///   - database: A libpq URI.
    static func check(_ deviceIDs: [String], fleet: String, database: String) async -> Finding {
        var finding = Finding()
        do {
            let connection = try await PostgresConnection.connect(
                PostgresConfiguration(connectionString: database, applicationName: "muster-sim")
            )
            defer { connection.close() }
            for start in stride(from: 0, to: deviceIDs.count, by: RecordProof.batch) {
                let part = Array(deviceIDs[start..<min(start + RecordProof.batch, deviceIDs.count)])
                let rows = try await connection.query(
                    """
                    select count(*), coalesce(max(n), 0)::bigint, count(*) filter (where n > 1)
                    from (select count(*) as n from certificates
                          where fleet_id = (select id from fleets where name = \(fleet)) and device_id = any(\(part))
                              and status <> 'revoked'
                          group by device_id, key_sha256) as per_key
                    """
                )
                guard let row = rows.first else { continue }
                var columns = row.columns
                finding.keys += try Int(columns.next(Int64.self))
                finding.certificatesMost = max(finding.certificatesMost, try Int(columns.next(Int64.self)))
                finding.repeated += try Int(columns.next(Int64.self))
            }
        } catch {
            finding.problem = "\(error)"
        }
        return finding
    }
}
