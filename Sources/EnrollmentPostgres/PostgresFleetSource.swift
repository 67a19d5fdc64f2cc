package import Enrollment
import Foundation
package import Logging
import PKI
package import Postgres
import SwiftASN1
import X509

/// Reads fleets from PostgreSQL. A fleet that cannot be read is left out, loudly, and does not keep the others from
/// serving.
package struct PostgresFleetSource: FleetSource {
    private let pool: PostgresPool
    private let wakeups: RecordChanges
    private let logger: Logger

    package init(pool: PostgresPool, changes: RecordChanges, logger: Logger) {
        self.pool = pool
        wakeups = changes
        self.logger = logger
    }

    package func changes() -> AsyncStream<Void> { wakeups.stream(.fleets) }

    package func fleets() async throws(RecordError) -> [FleetRecord] {
        try await recording {
            let results = try await pool.pipeline([
                """
                select id, name, policy, approval_retry_seconds, reenrollment, profile, issuer_id from fleets
                order by name
                """,
                """
                select id, fleet_id, name, certificate, device_id_rule, device_id_pattern, key_change, devices_max,
                       devices_per_hour, valid_from, valid_until, credential_devices_max,
                       credential_devices_per_hour, credential_valid_from, credential_valid_until
                from anchors where removed_at is null order by id
                """,
                """
                select fi.fleet_id, i.id, i.name, i.certificate, i.chain, i.rollover
                from fleet_issuers fi join issuers i on i.id = fi.issuer_id order by i.id
                """,
                "select distinct on (fleet_id) fleet_id, message from trust_stores order by fleet_id, version desc",
            ])
            var anchors: [Int64: [BootstrapAnchor]] = [:]
            for row in results[1] {
                var columns = row.columns
                let id = try columns.next(Int64.self)
                let fleet = try columns.next(Int64.self)
                let anchor = try AnchorRow(&columns)
                guard let certificate = try? Certificate(derEncoded: anchor.certificate), let rule = anchor.rule,
                    let keyChange = anchor.keyChange
                else {
                    logger.error(
                        "anchor not read: its certificate or a rule is not valid",
                        metadata: ["anchor": "\(anchor.name)"]
                    )
                    continue
                }
                anchors[fleet, default: []].append(
                    BootstrapAnchor(
                        id: AnchorID(id),
                        name: anchor.name,
                        certificate: certificate,
                        rule: rule,
                        keyChange: keyChange,
                        limits: anchor.limits
                    )
                )
            }
            var trusted: [Int64: [TrustedIssuer]] = [:]
            for row in results[2] {
                let fleet = try row.decode(at: 0, as: Int64.self)
                do {
                    trusted[fleet, default: []].append(try IssuerRow.decode(row, from: 1))
                } catch let defect as ChainDefect {
                    logger.error("issuer not trusted any more", metadata: ["reason": "\(defect)"])
                }
            }
            var trustStores: [Int64: [UInt8]] = [:]
            for row in results[3] { trustStores[try row.decode(at: 0)] = try row.decode(at: 1, as: [UInt8].self) }
            return try results[0].compactMap { row in
                var columns = row.columns
                let id = try columns.next(Int64.self)
                let name = try columns.next(String.self)
                let policy = try columns.next(String.self)
                let approvalRetry = try columns.next(Int64.self)
                let reenrollmentName = try columns.next(String.self)
                let profile = try columns.next(PostgresJSON.self)
                let issuer = try columns.next(Int64.self)
                guard let fleetName = FleetName(name), let enrollmentPolicy = EnrollmentPolicy(rawValue: policy),
                    let reenrollment = ReenrollmentPolicy(rawValue: reenrollmentName)
                else {
                    logger.error("fleet not read: its name or a policy is not valid", metadata: ["fleet": "\(name)"])
                    return nil
                }
                do {
                    return FleetRecord(
                        id: FleetID(id),
                        name: fleetName,
                        policy: enrollmentPolicy,
                        approvalRetry: .seconds(approvalRetry),
                        reenrollment: reenrollment,
                        profile: try ProfileDocument(json: profile.text).profile(),
                        issuerID: IssuerID(issuer),
                        anchors: anchors[id] ?? [],
                        trusted: trusted[id] ?? [],
                        trustStore: trustStores[id]
                    )
                } catch {
                    logger.error("fleet not read", metadata: ["fleet": "\(name)", "reason": "\(error)"])
                    return nil
                }
            }
        }
    }
}

/// A row of `issuers`: id, name, certificate, chain, rollover.
enum IssuerRow {
    static func decode(_ row: PostgresRow, from first: Int) throws -> TrustedIssuer {
        let certificate = try row.decode(at: first + 2, as: [UInt8].self)
        let above = try row.decode(at: first + 3, as: [[UInt8]].self)
        return TrustedIssuer(
            id: IssuerID(try row.decode(at: first)),
            name: try row.decode(at: first + 1),
            chain: try CACertificateChain(der: [certificate] + above, now: Date()),
            rollover: try row.decode(at: first + 4, as: [[UInt8]].self)
        )
    }
}
