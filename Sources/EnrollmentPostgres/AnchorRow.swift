import Enrollment
import Foundation
import Postgres

/// A row of `anchors` from its name on: name, certificate, device_id_rule, device_id_pattern, key_change, the limits
/// of the whole and of each credential.
struct AnchorRow {
    let name: String
    let certificate: [UInt8]
    /// Nil if the row was written by hand, or by a later program.
    let rule: DeviceIDRule?
    let keyChange: KeyChangeRule?
    let limits: AnchorLimits

    init(_ columns: inout PostgresColumns) throws(PostgresError) {
        name = try columns.next()
        certificate = try columns.next()
        let rule = try columns.next(String.self)
        let pattern = try columns.next(String?.self)
        self.rule = DeviceIDRule(name: rule, pattern: pattern.flatMap { DeviceIDPattern($0) })
        keyChange = KeyChangeRule(rawValue: try columns.next(String.self))
        limits = AnchorLimits(whole: try BootstrapLimits(&columns), credential: try BootstrapLimits(&columns))
    }
}

extension BootstrapLimits {
    /// devices_max, devices_per_hour, valid_from, valid_until.
    init(_ columns: inout PostgresColumns) throws(PostgresError) {
        self.init(
            devicesMax: try columns.next(Int64?.self),
            devicesPerHour: try columns.next(Int64?.self),
            validFrom: try columns.next(Date?.self),
            validUntil: try columns.next(Date?.self)
        )
    }
}
