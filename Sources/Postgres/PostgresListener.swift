package import Logging
import Synchronization

/// Listens to channels on a connection of its own, and connects anew whenever that is lost.
///
/// Notifications are hints: PostgreSQL keeps none for a listener that is away. After a gap the listener says so, and
/// its user looks at the tables.
package struct PostgresListener: Sendable {
    /// The most notifications that wait for their handler; what comes beyond is dropped, and told as a gap.
    package static let bufferMax = 1024
    /// The first and the longest pause between attempts to connect.
    package static let pauseMin: Duration = .milliseconds(50)
    package static let pauseMax: Duration = .seconds(5)

    /// What the handler is told.
    package enum Event: Hashable, Sendable {
        /// The channels are listened to. Comes once, before all else.
        case listening
        /// Notifications may have been missed up to now.
        case missedPossibly
        case notification(PostgresNotification)
    }

    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let logger: Logger

    package init(_ configuration: PostgresConfiguration, channels: [String], logger: Logger) {
        self.configuration = configuration
        self.channels = channels
        self.logger = logger
    }

    /// Listens until the task is cancelled or the handler throws, and calls the handler for one event at a time.
    package func run(_ handle: (Event) async throws -> Void) async throws {
        let backoff = Backoff(pauseMin: Self.pauseMin.nanoseconds, pauseMax: Self.pauseMax.nanoseconds)
        var failures = 0
        var wasListening = false
        while !Task.isCancelled {
            let inbox = Inbox()
            let connection: PostgresConnection
            do throws(PostgresError) {
                connection = try await listen(inbox)
            } catch {
                failures += 1
                logger.warning("cannot listen to PostgreSQL", metadata: ["reason": "\(error)"])
                let pause = backoff.pause(failures: failures, jitter: Double.random(in: 0...1))
                try await Task.sleep(for: .nanoseconds(pause))
                continue
            }
            failures = 0
            defer { connection.close() }
            try await handle(wasListening ? .missedPossibly : .listening)
            wasListening = true
            for await notification in inbox.notifications {
                if inbox.hasOverflowed() { try await handle(.missedPossibly) }
                try await handle(.notification(notification))
            }
            // A server that drops us at once is not to be hammered.
            try await Task.sleep(for: Self.pauseMin)
        }
        throw CancellationError()
    }

    private func listen(_ inbox: Inbox) async throws(PostgresError) -> PostgresConnection {
        let observer = PostgresConnection.Observer(
            closed: { _ in inbox.finish() },
            notified: { inbox.put($0) }
        )
        let connection = try await PostgresConnection.connect(configuration, observer: observer)
        let statements = channels.map { PostgresQuery(unescaped: "LISTEN \(Self.quoted($0))") }
        do {
            try await connection.pipeline(statements)
            return connection
        } catch {
            connection.close()
            throw error
        }
    }

    /// An SQL identifier is quoted by doubling its quotes.
    private static func quoted(_ identifier: String) -> String {
        var quoted = "\""
        for character in identifier where character != "\0" {
            quoted += character == "\"" ? "\"\"" : String(character)
        }
        return quoted + "\""
    }
}

/// Holds what came until the handler is ready for it.
private final class Inbox: Sendable {
    let notifications: AsyncStream<PostgresNotification>
    private let continuation: AsyncStream<PostgresNotification>.Continuation
    private let overflowed = Atomic<Bool>(false)

    init() {
        (notifications, continuation) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(PostgresListener.bufferMax)
        )
    }

    func put(_ notification: PostgresNotification) {
        if case .dropped = continuation.yield(notification) { overflowed.store(true, ordering: .relaxed) }
    }

    func finish() { continuation.finish() }

    /// True once for each time that something was dropped.
    func hasOverflowed() -> Bool { overflowed.exchange(false, ordering: .relaxed) }
}
