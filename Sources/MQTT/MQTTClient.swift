package import Logging
import Synchronization

/// An MQTT 5 client over TLS that keeps itself connected while `run()` runs.
///
/// Any task may publish and subscribe meanwhile. A message that was being published when the connection broke ends in
/// an error, and may have arrived: publishing again is the caller's decision, and readers take a message twice.
package final class MQTTClient: Sendable {
    private struct Guarded {
        var session: MQTTSession?
        var filters: [String: QoS] = [:]
        var dropped = 0
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        var lastWaiter: UInt64 = 0
    }

    /// What comes by subscriptions, for one reader. The newest `messagesMax` wait for it. Finishes with `run()`.
    package let messages: AsyncStream<MQTTMessage>
    /// What befalls the connection, for one reader; the newest few wait for it. Finishes with `run()`.
    package let events: AsyncStream<MQTTEvent>

    private let configuration: MQTTConfiguration
    private let logger: Logger
    private let messageSink: AsyncStream<MQTTMessage>.Continuation
    private let eventSink: AsyncStream<MQTTEvent>.Continuation
    private let guarded = Mutex(Guarded())

    /// Nothing is sent before `run()`.
    package init(configuration: MQTTConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        (messages, messageSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(configuration.messagesMax))
        (events, eventSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.eventsMax))
    }

    /// True while the broker's acceptance holds.
    package var isConnected: Bool { guarded.withLock { $0.session != nil } }

    /// Messages that were dropped because nobody read `messages`.
    package var droppedMessageCount: Int { guarded.withLock { $0.dropped } }

    /// Connects, and connects again after growing random pauses, until the task is cancelled. To be called once.
    package func run() async {
        var backoff = Backoff(min: configuration.pauseMin, max: configuration.pauseMax)
        var random = SystemRandomNumberGenerator()
        var losses = 0
        while !Task.isCancelled {
            let served = await serveOnce()
            guard !Task.isCancelled else { break }
            // A connection that the broker takes and drops at once must not make a storm.
            let wasStable = served.connected > Self.stableAfter
            if wasStable { backoff.reset() }
            losses = wasStable || served.connected == .zero ? 0 : losses + 1
            eventSink.yield(.disconnected(served.reason))
            if served.reason == .refused(reasonCode: Self.sessionTakenOver) {
                backoff.exhaust()
                eventSink.yield(.sessionTakenOver)
                logger.warning("Another MQTT client took our identifier", metadata: ["id": "\(configuration.clientID)"])
            } else if losses >= Self.lossesSuspicious {
                backoff.exhaust()
                eventSink.yield(.oftenLost(count: losses))
                logger.warning(
                    "MQTT connections are soon lost; another client may use our identifier",
                    metadata: ["id": "\(configuration.clientID)", "count": "\(losses)"]
                )
            }
            let pause = backoff.next(using: &random)
            logger.info("MQTT is not connected", metadata: ["reason": "\(served.reason)", "pause": "\(pause)"])
            try? await Task.sleep(for: pause)
        }
        finish()
    }

    /// Waits until the client is connected, which may be now.
    package func waitUntilConnected() async throws(MQTTError) {
        let ticket = guarded.withLock { guarded in
            guarded.lastWaiter += 1
            return guarded.lastWaiter
        }
        let isConnected = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let known: Bool? = guarded.withLock { guarded in
                    if guarded.session != nil { return true }
                    if Task.isCancelled { return false }
                    guarded.waiters[ticket] = waiter
                    return nil
                }
                if let known { waiter.resume(returning: known) }
            }
        } onCancel: {
            guarded.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(returning: false)
        }
        guard isConnected else { throw .cancelled }
    }

    /// Publishes. At QoS 1 it returns when the broker has acknowledged (PUBACK); a refusal is an error.
    /// - Parameter retain: The broker keeps the message for later subscribers; it has no expiry. Never empty.
    package func publish(
        topic: String,
        payload: [UInt8],
        qos: QoS = .atLeastOnce,
        retain: Bool = false
    ) async throws(MQTTError) {
        guard !(retain && payload.isEmpty) else { throw .emptyRetained }
        guard payload.count <= Int(configuration.packetBytesMax) else { throw .tooLarge(bytes: payload.count) }
        guard let session = guarded.withLock({ $0.session }) else { throw .notConnected }
        try await session.perform(.publish(topic: topic, payload: payload, qos: qos, retain: retain))
    }

    /// Subscribes now and after every reconnect. Without a connection it returns at once, and a refusal at the next
    /// connect is an event.
    package func subscribe(_ filters: [String], qos: QoS = .atLeastOnce) async throws(MQTTError) {
        let session = guarded.withLock { guarded in
            for filter in filters { guarded.filters[filter] = qos }
            return guarded.session
        }
        guard let session else { return }
        for filter in filters {
            do throws(MQTTError) {
                try await session.perform(.subscribe(filter: filter, qos: qos))
            } catch .notConnected {
                // Lost meanwhile; the next connection asks for it.
            } catch {
                guarded.withLock { $0.filters[filter] = nil }
                throw error
            }
        }
    }

    /// Waits for the end of the connection that there is now. A task that is cancelled meanwhile ends the connection.
    /// - Returns: Why it ended; `notConnected` if there is none.
    package func ended() async -> MQTTError {
        guard let session = guarded.withLock({ $0.session }) else { return .notConnected }
        return await session.ended()
    }

    /// Connects once, lends the client to `body`, and disconnects. It does not reconnect: for a device that has one
    /// thing to do.
    package static func withClient<Value: Sendable>(
        configuration: MQTTConfiguration,
        logger: Logger,
        body: (MQTTClient) async throws -> Value
    ) async throws -> Value {
        let client = MQTTClient(configuration: configuration, logger: logger)
        let session = try client.makeSession()
        do throws(MQTTError) {
            _ = try await session.connect()
        } catch {
            client.finish()
            throw error
        }
        client.attach(session)
        do {
            let value = try await body(client)
            await client.end(session)
            return value
        } catch {
            await client.end(session)
            throw error
        }
    }

    // MARK: Steps

    /// One connection to its end.
    /// - Returns: Why it ended, and how long the broker had accepted it.
    private func serveOnce() async -> (reason: MQTTError, connected: Duration) {
        do throws(MQTTError) {
            let session = try makeSession()
            let sessionPresent = try await session.connect()
            let began = ContinuousClock.now
            // Before the session is lent to callers: what they subscribe from then on, they ask for themselves.
            var asked: Set<String> = []
            while let (filter, qos) = lendOrNext(session, asked: asked) {
                asked.insert(filter)
                await resubscribe(filter, qos: qos, on: session)
            }
            eventSink.yield(.connected(sessionPresent: sessionPresent))
            logger.info("MQTT is connected", metadata: ["host": "\(configuration.host)"])
            let reason = await session.ended()
            detach(session)
            return (reason, ContinuousClock.now - began)
        } catch {
            return (error, .zero)
        }
    }

    private func resubscribe(_ filter: String, qos: QoS, on session: MQTTSession) async {
        do throws(MQTTError) {
            try await session.perform(.subscribe(filter: filter, qos: qos))
        } catch {
            eventSink.yield(.subscriptionRefused(filter: filter, error))
        }
    }

    private func makeSession() throws(MQTTError) -> MQTTSession {
        try MQTTSession(configuration) { [weak self] message in self?.deliver(message) }
    }

    private func deliver(_ message: MQTTMessage) {
        if case .dropped = messageSink.yield(message) { guarded.withLock { $0.dropped += 1 } }
    }

    /// The next filter to ask for; nil, and the session is lent to callers, when none is left.
    private func lendOrNext(_ session: MQTTSession, asked: Set<String>) -> (String, QoS)? {
        let next = guarded.withLock { guarded in
            let next = guarded.filters.first { !asked.contains($0.key) }
            if next == nil { guarded.session = session }
            return next.map { ($0.key, $0.value) }
        }
        if next == nil { attach(session) }
        return next
    }

    private func attach(_ session: MQTTSession) {
        let waiters = guarded.withLock { guarded in
            guarded.session = session
            defer { guarded.waiters = [:] }
            return guarded.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume(returning: true) }
    }

    private func detach(_ session: MQTTSession) {
        guarded.withLock { if $0.session === session { $0.session = nil } }
    }

    private func end(_ session: MQTTSession) async {
        detach(session)
        session.close()
        _ = await session.ended()
        finish()
    }

    private func finish() {
        messageSink.finish()
        eventSink.finish()
        let waiters = guarded.withLock { guarded in
            defer { guarded.waiters = [:] }
            return guarded.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume(returning: false) }
    }

    private static let eventsMax = 64
    private static let stableAfter = Duration.seconds(10)
    private static let lossesSuspicious = 3
    /// MQTT 5 §3.14.2.1.
    private static let sessionTakenOver = 0x8E
}
