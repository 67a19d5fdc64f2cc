package import Logging
package import Postgres
import ServiceLifecycle
import Synchronization

/// Wakes those who wait for changes of the record: by NOTIFY at once, and by the clock in case a notice was lost.
package final class RecordChanges: Service {
    /// What may have changed.
    package enum Topic: String, CaseIterable, Hashable, Sendable {
        case fleets = "muster_fleets"
        case outbox = "muster_outbox"
        case revocations = "muster_revocations"
        case crls = "muster_crls"
        case webhooks = "muster_webhooks"
    }

    /// How long a change goes unnoticed at most if its notice was lost.
    private static let pollInterval: Duration = .seconds(5)

    private let listener: PostgresListener
    private let streams = Mutex<[Topic: [Int: AsyncStream<Void>.Continuation]]>([:])
    private let nextID = Atomic<Int>(0)

    /// - Parameter configuration: For a connection of its own, since listening takes one whole.
    package init(_ configuration: PostgresConfiguration, logger: Logger) {
        listener = PostgresListener(configuration, channels: Topic.allCases.map(\.rawValue), logger: logger)
    }

    /// Listens until cancelled or shut down.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Ends with the task alone; it connects anew by itself.
                    try? await self.listener.run { event in
                        switch event {
                        case .notification(let notification):
                            if let topic = Topic(rawValue: notification.channel) { self.wake(topic) }
                        case .listening, .missedPossibly: self.wakeAll()
                        }
                    }
                }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: Self.pollInterval)
                        self.wakeAll()
                    }
                }
            }
        }
    }

    private func wakeAll() {
        for topic in Topic.allCases { wake(topic) }
    }

    /// The statement that tells all replicas, when its transaction commits.
    static func notifyQuery(_ topic: Topic) -> PostgresQuery { "select pg_notify(\(topic.rawValue), '')" }

    /// One element for each time that something may have changed; notices that come while one waits are one.
    func stream(_ topic: Topic) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
        continuation.onTermination = { [weak self] _ in
            self?.streams.withLock { _ = $0[topic]?.removeValue(forKey: id) }
        }
        streams.withLock { $0[topic, default: [:]][id] = continuation }
        continuation.yield()
        return stream
    }

    private func wake(_ topic: Topic) {
        let waiting = streams.withLock { Array($0[topic, default: [:]].values) }
        for continuation in waiting { continuation.yield() }
    }
}
