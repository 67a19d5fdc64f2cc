package import Enrollment
import Foundation
package import PKI
package import Postgres

/// Devices and certificates in PostgreSQL. Each selection walks an index of its own from where the last page ended.
package struct PostgresDeviceRegister: DeviceRegister {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func fleet(_ name: FleetName) async throws(RecordError) -> FleetID? {
        try await recording {
            let rows = try await pool.query("select id from fleets where name = \(name.text)")
            return try rows.first.map { FleetID(try $0.decode(at: 0)) }
        }
    }

    package func devices(
        of fleet: FleetID,
        _ selection: DeviceSelection,
        after: DevicePosition?,
        limit: Int
    ) async throws(RecordError) -> [DeviceEntry] {
        let query = Self.query(fleet.value, selection, after: after, limit: Int64(limit))
        return try await recording { try await pool.query(query).map { try DeviceEntry($0) } }
    }

    package func device(_ device: DeviceID, of fleet: FleetID) async throws(RecordError) -> DeviceEntry? {
        try await recording {
            try await pool.query(Self.query(device, of: fleet)).first.map { try DeviceEntry($0) }
        }
    }

    /// Gives a row that `DeviceEntry` reads.
    static func query(_ device: DeviceID, of fleet: FleetID) -> PostgresQuery {
        """
        with page as (
            select * from devices where fleet_id = \(fleet.value) and device_id = \(device.text)
        )
        \(unescaped: entries)
        """
    }

    package func certificates(
        of device: DeviceID,
        fleet: FleetID,
        limit: Int
    ) async throws(RecordError) -> [CertificateEntry] {
        try await recording {
            let rows = try await pool.query(
                """
                select i.name, c.serial, c.key_sha256, c.not_before, c.not_after, c.issued_at, c.status, c.der
                from certificates c join issuers i on i.id = c.issuer_id
                where c.fleet_id = \(fleet.value) and c.device_id = \(device.text)
                order by c.issued_at desc, c.serial desc limit \(Int64(limit))
                """
            )
            return try rows.map { row in
                var columns = row.columns
                return CertificateEntry(
                    issuer: try columns.next(),
                    serialNumber: try columns.next(),
                    publicKeySHA256: try columns.next(),
                    notBefore: try columns.next(),
                    notAfter: try columns.next(),
                    issuedAt: try columns.next(),
                    status: try columns.next(),
                    der: try columns.next()
                )
            }
        }
    }

    private static func query(
        _ fleet: Int64,
        _ selection: DeviceSelection,
        after: DevicePosition?,
        limit: Int64
    ) -> PostgresQuery {
        switch selection {
        case .named(let prefix):
            let names = NameRange(prefix: prefix, after: after?.device)
            return """
                with page as (
                    select * from devices
                    where fleet_id = \(fleet) and device_id >= \(names.first) and device_id < \(names.end)
                    order by device_id limit \(limit)
                )
                \(unescaped: entries) order by d.device_id
                """
        case .enrolled(let from, let until):
            let end = DevicePlace(after: after) ?? DevicePlace(before: until ?? .farFuture)
            return """
                with page as (
                    select * from devices
                    where fleet_id = \(fleet) and (first_enrolled_at, device_id) < (\(end.time), \(end.device))
                        and first_enrolled_at >= \(from ?? .farPast)
                    order by first_enrolled_at desc, device_id desc limit \(limit)
                )
                \(unescaped: entries) order by d.first_enrolled_at desc, d.device_id desc
                """
        case .expiring(let from, let until):
            let end = DevicePlace(after: after) ?? DevicePlace(before: from ?? .farPast)
            return """
                with page as (
                    select * from devices
                    where fleet_id = \(fleet) and (current_not_after, device_id) > (\(end.time), \(end.device))
                        and current_not_after < \(until ?? .farFuture)
                    order by current_not_after, device_id limit \(limit)
                )
                \(unescaped: entries) order by d.current_not_after, d.device_id
                """
        case .credential(let sha256):
            return """
                with page as (
                    select * from devices
                    where fleet_id = \(fleet) and first_credential_sha256 = \(sha256)
                        and device_id > \(after?.device ?? "")
                    order by device_id limit \(limit)
                )
                \(unescaped: entries) order by d.device_id
                """
        case .key(let sha256):
            return """
                with page as (
                    select d.* from device_keys k join devices d using (fleet_id, device_id)
                    where k.key_sha256 = \(sha256) and k.fleet_id = \(fleet) and d.device_id > \(after?.device ?? "")
                    order by d.device_id limit \(limit)
                )
                \(unescaped: entries) order by d.device_id
                """
        case .serialNumber(let serial):
            return """
                with owners as materialized (
                    select distinct c.fleet_id, c.device_id
                    from issuers i join certificates c on c.issuer_id = i.id and c.serial = \(serial)
                    where c.fleet_id = \(fleet)
                ), page as (
                    select d.* from owners o join devices d using (fleet_id, device_id)
                    where d.device_id > \(after?.device ?? "") order by d.device_id limit \(limit)
                )
                \(unescaped: entries) order by d.device_id
                """
        }
    }

    /// Makes entries of the devices on a page. The certificates are looked up one by one, however long PostgreSQL thinks
    /// that the page is.
    private static let entries = """
        select d.device_id, d.first_enrolled_at, d.enrolled_at, i.name, d.current_serial, d.current_key_sha256,
               coalesce(d.current_not_after, c.not_after), c.status = 'revoked', d.current_used_at, a.name,
               d.first_credential_sha256, d.trust_store_version, d.trust_store_acknowledged_at, d.revocation_reason,
               d.revoked_at, d.revoked_by, d.revocation_comment
        from page d
        join issuers i on i.id = d.current_issuer_id
        cross join lateral (
            select f.status, f.not_after from certificates f
            where f.issuer_id = d.current_issuer_id and f.serial = d.current_serial limit 1) c
        left join anchors a on a.id = d.first_anchor_id
        """
}

/// A place between devices that are sorted by a time, then by name.
private struct DevicePlace {
    let time: Date
    let device: String

    /// Where the last page ended; nil if this is the first one.
    init?(after: DevicePosition?) {
        guard let after, let time = after.time else { return nil }
        self.time = time
        device = after.device
    }

    /// Before all of that time.
    init(before time: Date) {
        self.time = time
        device = ""
    }
}

extension DeviceEntry {
    init(_ row: PostgresRow) throws(PostgresError) {
        var columns = row.columns
        self.init(
            device: try columns.next(),
            firstEnrolledAt: try columns.next(),
            enrolledAt: try columns.next(),
            issuer: try columns.next(),
            serialNumber: try columns.next(),
            publicKeySHA256: try columns.next(),
            notAfter: try columns.next(),
            isRevoked: try columns.next(),
            usedAt: try columns.next(Date?.self),
            firstAnchor: try columns.next(String?.self),
            firstCredentialSHA256: try columns.next([UInt8]?.self),
            trustStoreVersion: try columns.next(Int64?.self),
            trustStoreAcknowledgedAt: try columns.next(Date?.self),
            revocation: try RevocationEntry(&columns)
        )
    }
}

extension RevocationEntry {
    /// revocation_reason, revoked_at, revoked_by, revocation_comment; nil if the first is null. A reason that this program
    /// does not know is unspecified.
    fileprivate init?(_ columns: inout PostgresColumns) throws(PostgresError) {
        let reason = try columns.next(String?.self)
        let at = try columns.next(Date?.self)
        let by = try columns.next(String?.self)
        let comment = try columns.next(String?.self)
        guard let reason, let at else { return nil }
        self.init(reason: RevocationReason(rawValue: reason) ?? .unspecified, at: at, by: by ?? "", comment: comment)
    }
}
