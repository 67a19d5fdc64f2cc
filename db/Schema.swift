/// The SQL of the record, compiled in: what `muster db migrate` applies is what this program was tested with.
package enum Schema {
    /// One step: its number, what it does, and its statements.
    package struct Step: Sendable {
        package let number: Int32
        package let name: String
        package let sql: String
    }

    /// All steps, in order. The generated names have `_` in place of a file name's first digit.
    package static let steps: [Step] = [
        Step(number: 1, name: "initial", sql: text(PackageResources._001_initial_sql)),
        Step(number: 2, name: "operators", sql: text(PackageResources._002_operators_sql)),
        Step(number: 3, name: "revocation", sql: text(PackageResources._003_revocation_sql)),
        Step(number: 4, name: "attempt_retention", sql: text(PackageResources._004_attempt_retention_sql)),
        Step(number: 5, name: "crls", sql: text(PackageResources._005_crls_sql)),
        Step(number: 6, name: "gateway_role", sql: text(PackageResources._006_gateway_role_sql)),
        Step(number: 7, name: "revocation_stages", sql: text(PackageResources._007_revocation_stages_sql)),
        Step(number: 8, name: "webhooks", sql: text(PackageResources._008_webhooks_sql)),
        Step(number: 9, name: "revocation_requests", sql: text(PackageResources._009_revocation_requests_sql)),
        Step(number: 10, name: "ocsp_clock", sql: text(PackageResources._010_ocsp_clock_sql)),
        Step(number: 11, name: "statistics", sql: text(PackageResources._011_statistics_sql)),
        Step(number: 12, name: "light_statistics", sql: text(PackageResources._012_light_statistics_sql)),
        Step(number: 13, name: "statistics_targets", sql: text(PackageResources._013_statistics_targets_sql)),
    ]

    /// The sum of all steps, as `pg_dump` shows it.
    package static var sum: String { text(PackageResources.schema_sql) }

    /// The roles, made once a cluster.
    package static var roles: String { text(PackageResources.roles_sql) }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
