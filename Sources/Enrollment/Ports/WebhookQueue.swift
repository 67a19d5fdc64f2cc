package import Foundation

/// Events that wait for webhooks: rows written by the transactions that caused them.
package protocol WebhookQueue: Sendable {
    /// Has webhooks be known, so that events are written for them from now on. What is known already stays as it is.
    func register(_ webhooks: [String]) async throws(RecordError)

    /// One element each time events may wait; ends on cancellation.
    func wakeups() -> AsyncStream<Void>

    /// Takes the oldest events that are due for a webhook, but for those of a subject that has an older one which is not, and keeps
    /// other servers from the webhook until the batch is settled, or `WebhookBatch.holdMax` is over.
    /// - Parameter limit: How many at most; of a receiver that took nothing of the last batch, one.
    /// - Returns: Nil if nothing is due, another server sends, or the webhook takes no more.
    func take(_ webhook: String, limit: Int) async throws(RecordError) -> WebhookBatch?

    /// Removes what was delivered, has the rest wait, and gives up what has waited for too long.
    /// - Returns: How many events were given up.
    func settle(_ batch: WebhookBatch, _ settlement: WebhookSettlement) async throws(RecordError) -> Int

    /// How webhooks stand, in the order of their names.
    func standings() async throws(RecordError) -> [WebhookStanding]

    /// Has all that was given up wait once more, as if it were new, and a webhook that took no more be told again.
    /// - Returns: How many events wait again; nil if there is no such webhook.
    func retry(_ webhook: String, actor: String, at: Date) async throws(RecordError) -> Int?
}

/// Events that were taken to be sent, oldest first. Those of one subject go one after the other, until one is not taken.
package struct WebhookBatch: Hashable, Sendable {
    /// A server that was killed keeps others from the webhook for so long.
    package static let holdMax: Duration = .seconds(60)

    package struct Delivery: Hashable, Sendable {
        package let id: Int64
        /// The same each time that it is sent: by it receivers know what they have.
        package let message: UUID
        package let subject: String
        package let body: [UInt8]
        /// How often it was sent before.
        package let attempts: Int

        package init(id: Int64, message: UUID, subject: String, body: [UInt8], attempts: Int) {
            self.id = id
            self.message = message
            self.subject = subject
            self.body = body
            self.attempts = attempts
        }
    }

    package let webhook: String
    /// By which the record knows that it is still this server that sends.
    package let hold: UUID
    /// Batches in a row of which nothing was taken.
    package let failures: Int
    package let deliveries: [Delivery]

    package init(webhook: String, hold: UUID, failures: Int, deliveries: [Delivery]) {
        self.webhook = webhook
        self.hold = hold
        self.failures = failures
        self.deliveries = deliveries
    }
}

/// How a webhook stands.
package struct WebhookStanding: Hashable, Sendable {
    package let webhook: String
    /// Events that wait and that were given up; each counted no further than a bound.
    package let waiting: Int64
    package let givenUp: Int64
    /// The age of the oldest that waits; nil if none does.
    package let oldestSeconds: Double?
    /// Batches in a row of which nothing was taken, and why.
    package let failures: Int
    package let lastFailure: String?
    /// Since when the receiver wants no more.
    package let disabledAt: Date?

    package init(
        webhook: String,
        waiting: Int64,
        givenUp: Int64,
        oldestSeconds: Double?,
        failures: Int,
        lastFailure: String?,
        disabledAt: Date?
    ) {
        self.webhook = webhook
        self.waiting = waiting
        self.givenUp = givenUp
        self.oldestSeconds = oldestSeconds
        self.failures = failures
        self.lastFailure = lastFailure
        self.disabledAt = disabledAt
    }
}
