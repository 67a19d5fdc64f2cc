import PKI
import Postgres

/// What measurements ask the record: whom to ask about, and how far its lists are.
struct BenchRecord: Sendable {
    /// A device by all that an operator may know of it.
    struct Known: Sendable {
        let device: String
        let serialNumber: [UInt8]
        let keySHA256: [UInt8]
        let credentialSHA256: [UInt8]
    }

    /// A device that can be revoked, and where its certificate will be listed.
    struct Revocable: Sendable {
        let device: String
        let serialNumber: [UInt8]
        let issuer: Int64
        let issuerName: String
        let shard: Int
    }

    /// How much is revoked, and where it is listed.
    struct Lists: Sendable {
        let revoked: Int
        /// Without the list of all.
        let shards: Int
        /// The number of the list of all.
        let completeNumber: Int64
    }

    /// How long a statement may take where the record is large and nothing of it is in memory.
    private static let statementTimeout: Duration = .seconds(120)
    /// Rows that are read for each that is taken, so that those taken lie far from each other.
    private static let rowsEach = 50

    private let connection: PostgresConnection
    private let fleet: Int64

    /// Lends that of dev.json.
    static func with<Value>(_ file: DevFile, _ body: (BenchRecord) async throws -> Value) async throws -> Value {
        guard let uri = file.database else { throw SimulatorError.devFile("dev.json has no database") }
        let connection = try await LocalRecord.connect(uri, as: "muster-sim bench", callTimeout: statementTimeout)
        defer { connection.close() }
        let rows = try await connection.query("select id from fleets where name = \(file.fleet)")
        guard let row = rows.first else { throw SimulatorError.database("there is no fleet \(file.fleet)") }
        return try await body(BenchRecord(connection: connection, fleet: row.decode(at: 0)))
    }

    /// Devices from all over the record, each from a place that was drawn.
    func known(_ count: Int) async throws -> [Known] {
        let size = try await connection.query("select reltuples::float8 from pg_class where oid = 'devices'::regclass")
        let rows = max(try size.first?.decode(at: 0, as: Double.self) ?? 0, 1)
        let percent = min(100, 100 * Double(count * Self.rowsEach) / rows)
        let found = try await connection.query(
            """
            select device_id, current_serial, current_key_sha256, first_credential_sha256
            from devices tablesample system (\(percent)::float4)
            where fleet_id = \(fleet) and first_credential_sha256 is not null
            order by random() limit \(Int64(count))
            """
        )
        guard found.count == count else {
            throw SimulatorError.database(
                "\(found.count) devices were found where \(count) are needed; fill the record"
            )
        }
        return try found.map { row in
            var columns = row.columns
            return Known(
                device: try columns.next(),
                serialNumber: try columns.next(),
                keySHA256: try columns.next(),
                credentialSHA256: try columns.next()
            )
        }
    }

    /// Certificates of devices that enrolled for a measurement, DER; at least one.
    func certificates(_ count: Int) async throws -> [[UInt8]] {
        let rows = try await connection.query(
            """
            select c.der from devices d
            join certificates c on c.issuer_id = d.current_issuer_id and c.serial = d.current_serial
            where d.fleet_id = \(fleet) and d.device_id >= \(BenchFleet.prefixFirst)
                and d.device_id < \(BenchFleet.prefixEnd) and d.revoked_at is null
            limit \(Int64(count))
            """
        )
        guard !rows.isEmpty else {
            throw SimulatorError.database("nobody enrolled for a measurement; run `muster-sim bench load` first")
        }
        return try rows.map { try $0.decode(at: 0) }
    }

    /// Devices that enrolled for a measurement and are not revoked.
    func revocable(_ count: Int) async throws -> [Revocable] {
        let rows = try await connection.query(
            """
            select d.device_id, c.serial, i.id, i.name, c.crl_shard from devices d
            join issuers i on i.id = d.current_issuer_id
            join certificates c on c.issuer_id = i.id and c.serial = d.current_serial
            where d.fleet_id = \(fleet) and d.device_id >= \(BenchFleet.prefixFirst)
                and d.device_id < \(BenchFleet.prefixEnd) and d.revoked_at is null
            order by d.device_id limit \(Int64(count))
            """
        )
        guard rows.count == count else {
            throw SimulatorError.database(
                "\(rows.count) devices can be revoked where \(count) are needed; run `muster-sim bench load` first"
            )
        }
        return try rows.map { row in
            var columns = row.columns
            return Revocable(
                device: try columns.next(),
                serialNumber: try columns.next(),
                issuer: try columns.next(),
                issuerName: try columns.next(),
                shard: Int(try columns.next(Int32.self))
            )
        }
    }
    /// True while lists of an issuer lack what the record has: one of them, or, without a shard, any.
    func isBehind(_ issuer: Int64, shard: Int? = nil) async throws -> Bool {
        let number = shard.map { Int32(clamping: $0) }
        let rows = try await connection.query(
            """
            select exists (select from crl_changes
                           where issuer_id = \(issuer) and shard = coalesce(\(number), shard))
            """
        )
        return try rows.first?.decode(at: 0, as: Bool.self) ?? false
    }

    func lists(of issuer: Int64) async throws -> Lists {
        let rows = try await connection.query(
            """
            select (select count(*) from revocations where issuer_id = \(issuer)),
                   count(*) filter (where shard <> \(Int32(CRLShards.complete))),
                   coalesce(max(number) filter (where shard = \(Int32(CRLShards.complete))), 0)
            from crls where issuer_id = \(issuer)
            """
        )
        guard let row = rows.first else { throw SimulatorError.database("the database gave no counts") }
        var columns = row.columns
        return Lists(
            revoked: Int(try columns.next(Int64.self)),
            shards: Int(try columns.next(Int64.self)),
            completeNumber: try columns.next()
        )
    }
}
