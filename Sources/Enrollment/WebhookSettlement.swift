/// When what was not taken is sent again.
package enum WebhookRetry {
    /// An event that was not taken for so long is given up.
    package static let lifetime: Duration = .seconds(86_400)
    package static let delayFirst: Duration = .seconds(2)
    /// Also of what a receiver asks for by `Retry-After`.
    package static let delayMax: Duration = .seconds(3_600)

    /// Doubles with each failure, and is at most halved by chance, so that many do not come back at one moment.
    /// - Parameter chance: From 0 to 1.
    package static func delay(after failures: Int, chance: Double) -> Duration {
        // 2 to the power of 11 is above `delayMax` already.
        let doubled = delayFirst * (1 << min(max(failures, 1) - 1, 11))
        return min(doubled, delayMax) * (0.5 + min(max(chance, 0), 1) / 2)
    }
}

/// What became of one delivery.
package enum WebhookOutcome: Hashable, Sendable {
    case delivered
    /// It answered something else than success.
    case refused(status: Int, retryAfter: Duration?)
    /// Nobody answered; in a few words, why.
    case unreached(String)
    /// It answered that it wants no more, ever (410).
    case gone
    /// It was not sent at all: one of its subject before it was not taken, or there was no time.
    case unsent

    /// Why it was not delivered; nil if it was, or was not sent.
    package var failure: String? {
        switch self {
        case .delivered, .unsent: nil
        case .refused(let status, _): "answered \(status)"
        case .unreached(let why): why
        case .gone: "answered 410, so nothing more is sent"
        }
    }

    /// True if the receiver, and not this one event, is the trouble: it is busy, or not there.
    fileprivate var isOfReceiver: Bool {
        switch self {
        case .delivered, .gone, .unsent: false
        case .refused(let status, _): [429, 502, 503, 504].contains(status)
        case .unreached: true
        }
    }

    fileprivate var retryAfter: Duration? {
        if case .refused(_, let retryAfter) = self { retryAfter } else { nil }
    }
}

/// What the record keeps of a batch that was sent.
package struct WebhookSettlement: Hashable, Sendable {
    /// An event that waits on.
    package struct Failure: Hashable, Sendable {
        package let id: Int64
        package let why: String
        /// It is not sent before.
        package let delay: Duration
    }

    package let delivered: [Int64]
    package let failed: [Failure]
    /// Batches in a row of which nothing was taken, this one among them.
    package let failures: Int
    /// Nothing at all is sent to the receiver before.
    package let pause: Duration
    /// The receiver wants no more.
    package let isGone: Bool

    /// A receiver that took nothing of the batch rests, and is then tried with one event. If it took some, each of the others
    /// comes again in its own time, so that one that it never takes holds up no other subject's.
    /// - Parameter chance: From 0 to 1, anew for each.
    package init(_ batch: WebhookBatch, _ outcomes: [WebhookOutcome], chance: () -> Double) {
        let pairs = Array(zip(batch.deliveries, outcomes))
        delivered = pairs.filter { $0.1 == .delivered }.map(\.0.id)
        isGone = outcomes.contains(.gone)
        let tookSome = !delivered.isEmpty
        failures = tookSome ? 0 : batch.failures + 1
        let asked = min(outcomes.compactMap(\.retryAfter).max() ?? .zero, WebhookRetry.delayMax)
        pause = tookSome ? asked : max(asked, WebhookRetry.delay(after: failures, chance: chance()))
        failed = pairs.compactMap { delivery, outcome in
            guard let why = outcome.failure else { return nil }
            let delay =
                !tookSome && outcome.isOfReceiver
                ? .zero : WebhookRetry.delay(after: delivery.attempts + 1, chance: chance())
            return Failure(id: delivery.id, why: why, delay: delay)
        }
    }
}
