import Enrollment
import Logging
import Synchronization

/// The webhooks that are told now: those of the configuration, as it was read last.
final class WebhookRoster: Sendable {
    /// Webhooks as one reading of the configuration has them.
    struct Edition: Sendable {
        let subscriptions: [WebhookSubscription]
        let receivers: [WebhookReceiver]

        /// Reads secrets and certificates.
        init(_ webhooks: [ServerConfiguration.Webhook], logger: Logger) throws {
            subscriptions = webhooks.map(\.subscription)
            receivers = try webhooks.enumerated().map { index, webhook in
                try ServerMaterial.webhookReceiver(webhook, index: index, logger: logger)
            }
        }

        var names: [String] { receivers.map(\.name) }

        /// Has the record know the webhooks, which comes before events are written for them. Without webhooks there is
        /// nothing, not even a question to the record.
        func register(in queue: any WebhookQueue) async throws {
            guard !receivers.isEmpty else { return }
            try await queue.register(names)
        }
    }

    private struct State {
        var edition: Edition
        /// Rises with each edition.
        var number = 0
        var namesSinceStart: Set<String>
    }

    private let state: Mutex<State>
    private let stream: AsyncStream<(number: Int, edition: Edition)>
    private let continuation: AsyncStream<(number: Int, edition: Edition)>.Continuation

    init(_ edition: Edition) {
        state = Mutex(State(edition: edition, namesSinceStart: Set(edition.names)))
        (stream, continuation) = AsyncStream.makeStream(
            of: (number: Int, edition: Edition).self,
            bufferingPolicy: .bufferingNewest(1)
        )
        continuation.yield((0, edition))
    }

    var present: Edition { state.withLock { $0.edition } }

    /// Who is told of what, for those who write events.
    var subscriptions: [WebhookSubscription] { present.subscriptions }

    var names: Set<String> { Set(present.names) }

    /// Those that are told now and those that once were.
    var namesSinceStart: Set<String> { state.withLock { $0.namesSinceStart } }

    /// The present edition and each that comes, for the one who sends.
    var editions: AsyncStream<(number: Int, edition: Edition)> { stream }

    func isPresent(_ number: Int) -> Bool { state.withLock { $0.number == number } }

    /// Has others be told from now on. What waits stays with its webhook's name.
    func replace(by edition: Edition) {
        // In one lock, so that editions come in the order of their numbers.
        state.withLock { state in
            state.edition = edition
            state.number += 1
            state.namesSinceStart.formUnion(edition.names)
            continuation.yield((state.number, edition))
        }
    }
}
