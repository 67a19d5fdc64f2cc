import Enrollment
import Foundation
import Postgres

/// A page of attempts as a statement: only what was asked for stands in it, so that each question gets the plan of the
/// index that answers it.
///
/// A device's attempts, and a fleet's refused and pending ones, have indexes of their own. Every other selection walks
/// through time, newest first, and is held to `PostgresAttemptLog.windowStandard` if the question names no beginning.
struct AttemptSelection {
    private var text = PostgresQuery.StringInterpolation(literalCapacity: 1_600, interpolationCount: 10)

    init(_ query: AttemptQuery, after: AttemptPosition?, limit: Int) {
        text.appendLiteral("with page as (select * from attempts where true")
        // A reason is a refusal's.
        let outcome = query.outcome ?? query.reason.map { _ in Attempt.Outcome.refused }
        if let fleet = query.fleet {
            condition("fleet_id =", fleet.value)
        } else if query.device != nil {
            // The index goes by fleet first; there are few.
            text.appendLiteral(" and fleet_id = any (array(select id from fleets))")
        }
        if let device = query.device { condition("device_id =", device) }
        if let outcome {
            // Word for word what the index of those not issued is for.
            if outcome == .refused || outcome == .pending {
                text.appendLiteral(" and outcome in ('refused', 'pending')")
            }
            condition("outcome =", outcome.rawValue)
        }
        if let reason = query.reason { condition("reason =", reason.rawValue) }
        if let credential = query.credentialSHA256 { condition("credential_sha256 =", credential) }
        if let until = query.until { condition("at <", until) }
        if let from = query.from {
            condition("at >=", from)
        } else if Self.isBounded(query, outcome: outcome) {
            let seconds = Double(PostgresAttemptLog.windowStandard.components.seconds)
            text.appendLiteral(" and at >= coalesce(")
            text.appendInterpolation(query.until)
            text.appendLiteral(", now()) - make_interval(secs => ")
            text.appendInterpolation(seconds)
            text.appendLiteral(")")
        }
        if let after {
            // The first comparison is implied, and is what partitions are left out by.
            condition("at <=", after.at)
            text.appendLiteral(" and (at, id) < (")
            text.appendInterpolation(after.at)
            text.appendLiteral(", ")
            text.appendInterpolation(after.id)
            text.appendLiteral(")")
        }
        text.appendLiteral(" order by at desc, id desc limit ")
        text.appendInterpolation(Int64(limit))
        text.appendLiteral(") \(Self.entries) order by t.at desc, t.id desc")
    }

    var query: PostgresQuery { PostgresQuery(stringInterpolation: text) }

    /// True if no index answers the question, so that rows would be looked at in vain.
    private static func isBounded(_ query: AttemptQuery, outcome: Attempt.Outcome?) -> Bool {
        if query.device != nil { return false }
        let isKept = outcome == .refused || outcome == .pending
        if isKept, query.fleet != nil, query.credentialSHA256 == nil, query.reason == nil { return false }
        return query.fleet != nil || outcome != nil || query.credentialSHA256 != nil
    }

    private mutating func condition(_ comparison: String, _ value: some PostgresEncodable) {
        text.appendLiteral(" and \(comparison) ")
        text.appendInterpolation(value)
    }

    /// Makes entries of the attempts on a page.
    static let entries = """
        select t.id, t.at, t.request_id, f.name, t.device_id, t.operation, t.source, t.credential_kind,
               t.credential_sha256, t.credential_subject, a.name, t.key_sha256, t.stage, t.rule, t.outcome, t.reason,
               t.detail, i.name, t.serial
        from page t
        left join fleets f on f.id = t.fleet_id
        left join anchors a on a.id = t.anchor_id
        left join issuers i on i.id = t.issuer_id
        """
}
