import Enrollment
import Foundation
import Postgres

/// What an operator does to a bootstrap credential, as a statement that touches no row if all is so already, and as
/// words.
struct CredentialStatement {
    let query: PostgresQuery
    let action: String
    let detail: String

    init(_ change: CredentialChange, sha256: [UInt8], fleet: Int64, actor: String, at: Date) {
        switch change {
        case .block(let comment):
            action = "credential.blocked"
            detail = comment ?? ""
            query = """
                insert into bootstrap_credentials as b (fleet_id, sha256, blocked_at, blocked_by, block_comment)
                values (\(fleet), \(sha256), \(at), \(actor), \(comment))
                on conflict (fleet_id, sha256) do update
                set blocked_at = excluded.blocked_at, blocked_by = excluded.blocked_by,
                    block_comment = excluded.block_comment
                where b.blocked_at is null
                """
        case .unblock:
            action = "credential.unblocked"
            detail = ""
            query = """
                update bootstrap_credentials set blocked_at = null, blocked_by = null, block_comment = null
                where fleet_id = \(fleet) and sha256 = \(sha256) and blocked_at is not null
                """
        case .clear:
            action = "credential.cleared"
            detail = ""
            query = """
                update bootstrap_credentials set marked_at = null, marked_reason = null
                where fleet_id = \(fleet) and sha256 = \(sha256) and marked_at is not null
                """
        case .limit(let limits):
            action = "credential.limited"
            detail = Self.words(limits)
            query = """
                insert into bootstrap_credentials as b (fleet_id, sha256, devices_max, devices_per_hour, valid_from,
                                                        valid_until)
                values (\(fleet), \(sha256), \(limits.devicesMax), \(limits.devicesPerHour), \(limits.validFrom),
                        \(limits.validUntil))
                on conflict (fleet_id, sha256) do update
                set devices_max = excluded.devices_max, devices_per_hour = excluded.devices_per_hour,
                    valid_from = excluded.valid_from, valid_until = excluded.valid_until
                where (b.devices_max, b.devices_per_hour, b.valid_from, b.valid_until)
                    is distinct from
                    (excluded.devices_max, excluded.devices_per_hour, excluded.valid_from, excluded.valid_until)
                """
        }
    }

    private static func words(_ limits: BootstrapLimits) -> String {
        let words = [
            limits.devicesMax.map { "devices \($0)" },
            limits.devicesPerHour.map { "devices an hour \($0)" },
            limits.validFrom.map { "from \($0.formatted(.iso8601))" },
            limits.validUntil.map { "until \($0.formatted(.iso8601))" },
        ].compactMap(\.self)
        return words.isEmpty ? "as its anchor" : words.joined(separator: ", ")
    }
}
