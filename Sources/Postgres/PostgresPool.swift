import Dispatch
package import Logging
import ServiceLifecycle
import Synchronization

/// A bounded set of connections, lent one call or one scope at a time.
///
/// It opens connections when they are asked for and works without `run()`; `run()` keeps some ready and closes all at
/// shutdown. When PostgreSQL goes away and comes back, so do the connections, without anybody's help.
package final class PostgresPool: Service {
    /// After so many failed attempts in a row callers are refused without a wait.
    package static let failuresBeforeRefusing = 3
    /// A connection idle for longer than this is looked at before it is lent: the server may have ended it.
    package static let idleTrust: Duration = .milliseconds(20)

    private typealias ConnectionID = PoolStateMachine.ConnectionID
    private typealias WaiterID = PoolStateMachine.WaiterID
    private typealias Lent = Result<(ConnectionID, PostgresConnection), PostgresError>

    private struct Shared {
        var machine: PoolStateMachine
        var connections: [ConnectionID: PostgresConnection] = [:]
        var continuations: [WaiterID: CheckedContinuation<Lent, Never>] = [:]
    }

    /// Work to do after the lock is let go.
    private enum Deed {
        case resume(CheckedContinuation<Lent, Never>, Lent)
        case open(ConnectionID)
        case close(PostgresConnection)
        case retry(after: UInt64)
        case wake(at: UInt64)
    }

    private let configuration: Configuration
    private let onFull: @Sendable () -> Void
    private let logger: Logger
    private let shared: Mutex<Shared>
    private let nextWaiter = Atomic<UInt64>(0)
    /// For timers only.
    private let queue = DispatchQueue(label: "muster.postgres.pool")

    /// - Parameter onFull: Told of each caller that was refused because too many wait for a connection, or this one did
    ///   for too long; must not wait.
    package init(
        _ configuration: Configuration,
        onFull: @escaping @Sendable () -> Void = {},
        logger: Logger
    ) {
        self.configuration = configuration
        self.onFull = onFull
        self.logger = logger
        let limits = PoolStateMachine.Limits(
            connectionsMax: configuration.connectionsMax,
            connectionsMin: configuration.connectionsMin,
            waitingMax: configuration.waitingMax,
            acquireTimeout: configuration.acquireTimeout.nanoseconds,
            backoff: Backoff(
                pauseMin: configuration.backoffMin.nanoseconds,
                pauseMax: configuration.backoffMax.nanoseconds
            ),
            failuresBeforeRefusing: Self.failuresBeforeRefusing
        )
        shared = Mutex(Shared(machine: PoolStateMachine(limits: limits)))
    }

    deinit { close() }

    /// What the pool holds now.
    package var statistics: Statistics { shared.withLock { $0.machine.statistics } }

    /// Keeps connections ready until shutdown, then closes the pool.
    package func run() async throws {
        perform { $0.maintain() }
        try? await gracefulShutdown()
        close()
    }

    /// Refuses new callers and closes what is idle; what is lent is closed when it comes back.
    package func close() { perform { $0.close() } }

    /// Lends a connection for as long as `body` runs. What `body` leaves undone is rolled back.
    /// - Throws: `unavailable` if no connection came free or could be made in time; what `body` throws.
    @discardableResult
    package func withConnection<Value>(
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let (id, connection) = try await acquire()
        do {
            let value = try await body(connection)
            await release(id, connection)
            return value
        } catch {
            await release(id, connection)
            throw error
        }
    }

    /// Runs `body` in a transaction on a connection of its own.
    @discardableResult
    package func withTransaction<Value>(
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await withConnection { connection in try await connection.withTransaction(body) }
    }

    /// Runs one statement on whichever connection is free.
    @discardableResult
    package func query(
        _ query: PostgresQuery,
        timeout: Duration? = nil
    ) async throws(PostgresError) -> PostgresRows {
        let results = try await pipeline([query], timeout: timeout)
        guard let rows = results.first else { throw .unavailable("the server gave no result") }
        return rows
    }

    /// Sends all statements at once on whichever connection is free; see `PostgresConnection.pipeline`.
    @discardableResult
    package func pipeline(
        _ queries: [PostgresQuery],
        timeout: Duration? = nil
    ) async throws(PostgresError) -> [PostgresRows] {
        let (id, connection) = try await acquire()
        do throws(PostgresError) {
            let results = try await connection.pipeline(queries, timeout: timeout)
            await release(id, connection)
            return results
        } catch {
            await release(id, connection)
            throw error
        }
    }

    // MARK: - Lending

    private func acquire() async throws(PostgresError) -> (ConnectionID, PostgresConnection) {
        // Each round discards a connection that turned out to be dead, so there are as many rounds as connections.
        for _ in 0...configuration.connectionsMax {
            if Task.isCancelled { throw .cancelled }
            let (id, connection) = try await wait()
            if !connection.isClosed { return (id, connection) }
            await release(id, connection)
        }
        throw .unavailable("every connection was lost as it was lent")
    }

    private func wait() async throws(PostgresError) -> (ConnectionID, PostgresConnection) {
        let waiter = nextWaiter.wrappingAdd(1, ordering: .relaxed).newValue
        let now = DispatchTime.now().uptimeNanoseconds
        // The common case: one is idle, and nothing has to wait.
        let outcome: Lent = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                var idleTime: UInt64 = 0
                let (deeds, turnedAway): ([Deed], Int) = shared.withLock { shared in
                    switch shared.machine.acquire(waiter, now: now) {
                    case .lent(let id, let since):
                        idleTime = now &- since
                        return ([Self.lend(id, to: continuation, shared)], 0)
                    case .waits(let actions):
                        shared.continuations[waiter] = continuation
                        return (Self.deeds(actions, &shared), 0)
                    case .refused(let reason):
                        let deed = Deed.resume(continuation, .failure(.unavailable(reason)))
                        return ([deed], shared.machine.takeTurnedAway())
                    }
                }
                for _ in 0..<turnedAway { onFull() }
                if idleTime > Self.idleTrust.nanoseconds, case .resume(_, .success((_, let connection))) = deeds.first {
                    connection.notice()
                }
                perform(deeds)
                // A cancellation that came before the caller stood in line found nobody to remove.
                if Task.isCancelled { cancel(waiter) }
            }
        } onCancel: {
            cancel(waiter)
        }
        return try outcome.get()
    }

    private func release(_ id: ConnectionID, _ connection: PostgresConnection) async {
        if !connection.isSettled { await connection.restore() }
        let isUsable = connection.isSettled
        let now = DispatchTime.now().uptimeNanoseconds
        perform { $0.release(id, isUsable: isUsable, now: now) }
    }

    private func cancel(_ waiter: WaiterID) {
        let continuation = shared.withLock { shared in
            shared.machine.cancel(waiter) ? shared.continuations.removeValue(forKey: waiter) : nil
        }
        continuation?.resume(returning: .failure(.cancelled))
    }

    // MARK: - Actions

    private func perform(_ event: (inout PoolStateMachine) -> [PoolStateMachine.Action]) {
        let (deeds, turnedAway) = shared.withLock { shared in
            (Self.deeds(event(&shared.machine), &shared), shared.machine.takeTurnedAway())
        }
        perform(deeds)
        for _ in 0..<turnedAway { onFull() }
    }

    private static func lend(
        _ id: ConnectionID,
        to continuation: CheckedContinuation<Lent, Never>,
        _ shared: Shared
    ) -> Deed {
        guard let connection = shared.connections[id] else {
            return .resume(continuation, .failure(.unavailable("the connection was lost")))
        }
        return .resume(continuation, .success((id, connection)))
    }

    private static func deeds(_ actions: [PoolStateMachine.Action], _ shared: inout Shared) -> [Deed] {
        var deeds: [Deed] = []
        for action in actions {
            switch action {
            case .lend(let id, let waiter):
                guard let continuation = shared.continuations.removeValue(forKey: waiter) else { continue }
                deeds.append(lend(id, to: continuation, shared))
            case .refuse(let waiter, let reason):
                guard let continuation = shared.continuations.removeValue(forKey: waiter) else { continue }
                deeds.append(.resume(continuation, .failure(.unavailable(reason))))
            case .open(let id): deeds.append(.open(id))
            case .close(let id):
                guard let connection = shared.connections.removeValue(forKey: id) else { continue }
                deeds.append(.close(connection))
            case .retry(let after): deeds.append(.retry(after: after))
            case .wake(let at): deeds.append(.wake(at: at))
            }
        }
        return deeds
    }

    private func perform(_ deeds: [Deed]) {
        for deed in deeds {
            switch deed {
            case .resume(let continuation, let lent): continuation.resume(returning: lent)
            case .open(let id): open(id)
            case .close(let connection): connection.close()
            case .retry(let after):
                queue.asyncAfter(deadline: .now() + .nanoseconds(Int(clamping: after))) { [weak self] in
                    self?.perform { $0.retry() }
                }
            case .wake(let at):
                queue.asyncAfter(deadline: DispatchTime(uptimeNanoseconds: at)) { [weak self] in
                    self?.perform { $0.expire(now: DispatchTime.now().uptimeNanoseconds) }
                }
            }
        }
    }

    private func open(_ id: ConnectionID) {
        let observer = PostgresConnection.Observer(closed: { [weak self] _ in self?.perform { $0.lost(id) } })
        PostgresConnection.open(configuration.connection, observer: observer) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let connection):
                let now = DispatchTime.now().uptimeNanoseconds
                perform(
                    shared.withLock { shared in
                        shared.connections[id] = connection
                        return Self.deeds(shared.machine.opened(id, now: now), &shared)
                    }
                )
                // It may have ended before the pool knew it.
                if connection.isClosed { perform { $0.lost(id) } }
            case .failure(let error):
                let reason = if case .unavailable(let reason) = error { reason } else { "\(error)" }
                logger.warning("cannot connect to PostgreSQL", metadata: ["reason": "\(reason)"])
                perform { $0.openFailed(id, reason: reason, jitter: Double.random(in: 0...1)) }
            }
        }
    }
}
