package import Enrollment
package import Foundation
import PKI
package import Postgres

/// Events for webhooks in PostgreSQL. Sending holds no transaction and no connection: a server takes hold of a webhook for a
/// bounded time, by a row that it locks only for that, so that any number of replicas share the webhooks.
package struct PostgresWebhookQueue: WebhookQueue {
    /// Rows changed by one statement, so that none takes long.
    private static let batch: Int64 = 5_000
    /// Statements a call; what is left waits for the next call.
    private static let batchesMax = 200
    /// Events of one webhook are counted no further than this.
    private static let countMax: Int64 = 100_000

    /// The oldest are to be found by their index, however many wait: what PostgreSQL knows of a queue's size is of another hour.
    private static let settings: PostgresQuery = """
        select set_config(name, 'off', true) from unnest(array['enable_seqscan', 'enable_bitmapscan', 'enable_sort',
                                                               'enable_hashjoin', 'enable_mergejoin', 'jit']) as s (name)
        """

    private let pool: PostgresPool
    private let changes: RecordChanges?

    /// - Parameter changes: Needed by those who wait for events alone.
    package init(pool: PostgresPool, changes: RecordChanges? = nil) {
        self.pool = pool
        self.changes = changes
    }

    package func register(_ webhooks: [String]) async throws(RecordError) {
        try await recording {
            _ = try await pool.query(
                "insert into webhooks (name) select * from unnest(\(webhooks)) on conflict (name) do nothing"
            )
        }
    }

    package func wakeups() -> AsyncStream<Void> { changes?.stream(.webhooks) ?? AsyncStream { $0.finish() } }

    /// If another server took and settled a batch between the look at what is due and the lock, `due` has events that are gone.
    /// Settling changes `due_at`, and the lock looks at the row anew, so that it is then not free.
    package func take(_ webhook: String, limit: Int) async throws(RecordError) -> WebhookBatch? {
        let hold = UUID()
        let seconds = WebhookBatch.holdMax.inSeconds
        return try await recording {
            let rows = try await pool.withTransaction { connection in
                try await connection.pipeline([
                    Self.settings,
                    """
                    with due as (
                        select e.id, e.message, e.subject, e.body, e.attempts from webhook_events e
                        where e.webhook = \(webhook) and e.given_up_at is null and e.due_at <= now() and not exists (
                            select from webhook_events before
                            where before.webhook = e.webhook and before.subject = e.subject
                                and before.given_up_at is null and before.id < e.id and before.due_at > now())
                        order by e.id limit (select case when failures > 0 then 1 else \(Int64(limit)) end
                                             from webhooks where name = \(webhook))
                    ), free as (
                        select name from webhooks
                        where name = \(webhook) and disabled_at is null and due_at <= now()
                            and (held_until is null or held_until < now()) and exists (select from due)
                            and due_at = (select due_at from webhooks where name = \(webhook))
                        for no key update skip locked
                    ), held as (
                        update webhooks w set held_by = \(hold), held_until = now() + make_interval(secs => \(seconds))
                        from free where w.name = free.name returning w.failures
                    )
                    select held.failures, due.id, due.message, due.subject, due.body, due.attempts
                    from held cross join due order by due.id
                    """,
                ])[1]
            }
            guard let first = rows.first else { return nil }
            return WebhookBatch(
                webhook: webhook,
                hold: hold,
                failures: Int(try first.decode(at: 0, as: Int32.self)),
                deliveries: try rows.map { row in
                    WebhookBatch.Delivery(
                        id: try row.decode(at: 1),
                        message: try row.decode(at: 2),
                        subject: try row.decode(at: 3),
                        body: try row.decode(at: 4),
                        attempts: Int(try row.decode(at: 5, as: Int32.self))
                    )
                }
            )
        }
    }

    package func settle(
        _ batch: WebhookBatch,
        _ settlement: WebhookSettlement
    ) async throws(RecordError) -> Int {
        let failed = settlement.failed
        let lastFailure = failed.last?.why
        // A receiver that takes nothing would else be asked for each event that is too old, one after the other.
        let tookNothing = settlement.failures > 0
        return try await recording {
            try await pool.withTransaction { connection in
                let results = try await connection.pipeline([
                    "delete from webhook_events where webhook = \(batch.webhook) and id = any (\(settlement.delivered))",
                    """
                    update webhook_events e
                    set attempts = e.attempts + 1, last_failure = f.why, due_at = now() + make_interval(secs => f.delay)
                    from unnest(\(failed.map(\.id)), \(failed.map(\.why)), \(failed.map(\.delay.inSeconds)))
                        as f (id, why, delay)
                    where e.webhook = \(batch.webhook) and e.id = f.id
                    """,
                    """
                    update webhook_events set given_up_at = now()
                    where webhook = \(batch.webhook) and id = any (array(
                        select id from webhook_events
                        where webhook = \(batch.webhook) and given_up_at is null and give_up_at <= now()
                            and (\(tookNothing) or id = any (\(failed.map(\.id))))
                        order by id limit \(Self.batch)))
                    """,
                    """
                    update webhooks
                    set failures = \(Int32(clamping: settlement.failures)), last_failure = coalesce(\(lastFailure), last_failure),
                        due_at = now() + make_interval(secs => \(settlement.pause.inSeconds)),
                        disabled_at = case when \(settlement.isGone) then coalesce(disabled_at, now()) else disabled_at end,
                        held_by = null, held_until = null
                    where name = \(batch.webhook) and held_by = \(batch.hold)
                    """,
                ])
                return results[2].affectedRows
            }
        }
    }

    package func standings() async throws(RecordError) -> [WebhookStanding] {
        try await recording {
            try await pool.query(
                """
                select w.name,
                       (select count(*) from (select from webhook_events e
                                              where e.webhook = w.name and e.given_up_at is null
                                              limit \(Self.countMax)) as waiting),
                       (select count(*) from (select from webhook_events e
                                              where e.webhook = w.name and e.given_up_at is not null
                                              limit \(Self.countMax)) as given_up),
                       (select extract(epoch from clock_timestamp() - e.created_at)::float8 from webhook_events e
                        where e.webhook = w.name and e.given_up_at is null order by e.id limit 1),
                       w.failures, w.last_failure, w.disabled_at
                from webhooks w order by w.name collate "C"
                """
            ).map { row in
                var columns = row.columns
                return WebhookStanding(
                    webhook: try columns.next(),
                    waiting: try columns.next(),
                    givenUp: try columns.next(),
                    oldestSeconds: try columns.next(),
                    failures: Int(try columns.next(Int32.self)),
                    lastFailure: try columns.next(),
                    disabledAt: try columns.next()
                )
            }
        }
    }

    package func retry(_ webhook: String, actor: String, at: Date) async throws(RecordError) -> Int? {
        try await recording {
            let known = try await pool.withTransaction { connection in
                let rows = try await connection.query(
                    """
                    update webhooks set failures = 0, due_at = now(), disabled_at = null
                    where name = \(webhook) returning name
                    """
                )
                guard !rows.isEmpty else { return false }
                try await Audited.append(
                    AuditEntry(
                        at: at,
                        actor: actor,
                        action: "webhook.retried",
                        subject: AuditSubject.webhook(webhook),
                        detail: ""
                    ),
                    on: connection
                )
                return true
            }
            guard known else { return nil }
            var again = 0
            for _ in 0..<Self.batchesMax {
                let results = try await pool.withConnection { connection in
                    try await connection.pipeline([
                        """
                        update webhook_events
                        set attempts = 0, due_at = now(), given_up_at = null,
                            give_up_at = now() + make_interval(secs => \(WebhookWriter.lifetimeSeconds))
                        where webhook = \(webhook) and id = any (array(
                            select id from webhook_events where webhook = \(webhook) and given_up_at is not null
                            order by given_up_at limit \(Self.batch)))
                        """,
                        RecordChanges.notifyQuery(.webhooks),
                    ])
                }
                again += results[0].affectedRows
                if results[0].affectedRows < Self.batch { break }
            }
            return again
        }
    }
}
