import Enrollment
import Postgres

/// Writes events for webhooks in the transaction that causes them.
struct WebhookWriter {
    let subscriptions: [WebhookSubscription]

    /// Statements that have `events` wait for each webhook that takes them, in their order, and wake whoever sends; none where
    /// nobody is told.
    func queries(_ events: [WebhookEvent]) -> [PostgresQuery] {
        let pairs = events.flatMap { event in
            subscriptions.filter { $0.takes(event) }.map { (webhook: $0.webhook, event: event) }
        }
        guard !pairs.isEmpty else { return [] }
        return [
            """
            insert into webhook_events (webhook, type, subject, body, created_at, give_up_at)
            select w.name, e.type, e.subject, e.body, e.at, now() + make_interval(secs => \(Self.lifetimeSeconds))
            from unnest(\(pairs.map(\.webhook)), \(pairs.map(\.event.kind.rawValue)), \(pairs.map(\.event.subject)),
                        \(pairs.map(\.event.body)), \(pairs.map(\.event.at)))
                with ordinality as e (webhook, type, subject, body, at, place)
            join webhooks w on w.name = e.webhook and w.disabled_at is null
            order by e.place
            """,
            RecordChanges.notifyQuery(.webhooks),
        ]
    }

    static let lifetimeSeconds = Double(WebhookRetry.lifetime.components.seconds)
}
