import Dispatch
import Synchronization

/// One session with PostgreSQL, prepared and pipelined, which never blocks the thread that calls it.
///
/// Calls run one after the other; a call made while another is on the wire waits in line. Every call has a deadline,
/// and a call that is cancelled or late never leaves the session in the middle of a result: it is read to its end, or
/// closed. A closed connection stays closed.
///
/// The state is behind a lock that is held only for calls that cannot block. Socket events come on the
/// thread of `SocketEvents`; timers on the connection's own dispatch queue, as does the one blocking act, connecting.
package final class PostgresConnection: Sendable {
    /// How long the rollback after a failure may take before the session is closed instead.
    package static let rollbackTimeout: Duration = .seconds(2)

    /// What a connection tells its owner, under no lock and on a thread that must not block.
    struct Observer: Sendable {
        var closed: @Sendable (String) -> Void = { _ in }
        var notified: @Sendable (PostgresNotification) -> Void = { _ in }
    }

    /// The state behind the lock; all of it is touched only while the lock is held.
    private struct Shared {
        var core: ConnectionCore
        var watch: SocketEvents.Token?
        var isWatchedForWriting = false
    }

    private let shared: Mutex<Shared>
    private let queue: DispatchQueue
    private let observer: Observer
    private let callTimeout: Duration
    private let nextExchange = Atomic<UInt64>(0)
    /// The server process that serves this session, as `pg_stat_activity.pid` has it.
    package let serverProcess: Int32

    /// Connects. Several hosts, `target_session_attrs` and so on are libpq's to obey.
    /// - Throws: `unavailable`, with a reason that holds no secret.
    package static func connect(
        _ configuration: PostgresConfiguration
    ) async throws(PostgresError) -> PostgresConnection {
        try await connect(configuration, observer: Observer())
    }

    static func connect(
        _ configuration: PostgresConfiguration,
        observer: Observer
    ) async throws(PostgresError) -> PostgresConnection {
        let result: Result<PostgresConnection, PostgresError> = await withCheckedContinuation { continuation in
            open(configuration, observer: observer) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Connects on a queue of its own and calls `completion` there, once.
    static func open(
        _ configuration: PostgresConfiguration,
        observer: Observer,
        completion: @escaping @Sendable (Result<PostgresConnection, PostgresError>) -> Void
    ) {
        let queue = DispatchQueue(label: "muster.postgres.connection")
        queue.async {
            do throws(PostgresError) {
                let session = try LibpqSession.connect(configuration)
                let connection = PostgresConnection(session, configuration, queue, observer)
                connection.watch()
                completion(.success(connection))
            } catch {
                completion(.failure(error))
            }
        }
    }

    private init(
        _ session: sending LibpqSession,
        _ configuration: PostgresConfiguration,
        _ queue: DispatchQueue,
        _ observer: Observer
    ) {
        self.queue = queue
        self.observer = observer
        callTimeout = configuration.callTimeout
        serverProcess = session.serverProcess
        let core = ConnectionCore(session: session, preparedStatementsMax: configuration.preparedStatementsMax)
        shared = Mutex(Shared(core: core))
    }

    deinit { close() }

    /// True once the session is over.
    package var isClosed: Bool { shared.withLock { $0.core.isClosed } }

    /// True inside a transaction, also a failed one.
    package var isInTransaction: Bool { shared.withLock { $0.core.isInTransaction } }

    /// True if nothing is on the wire and no transaction is open.
    var isSettled: Bool { shared.withLock { !$0.core.isClosed && !$0.core.isBusy && !$0.core.isInTransaction } }

    /// Ends the session. Calls in flight fail as `unavailable`.
    package func close() { perform { $0.close("the connection was closed") } }

    /// Reads what came while nobody asked, so that a session which the server ended is known to be closed.
    func notice() { perform { $0.isBusy ? $0.unchanged() : $0.ready() } }

    /// Runs one request to its end.
    /// - Parameter isShielded: True if the task's cancellation must not end it early.
    func exchange(
        _ request: Exchange.Request,
        timeout: Duration?,
        isShielded: Bool = false
    ) async throws(ExchangeFailure) -> [PostgresRows] {
        let id = nextExchange.wrappingAdd(1, ordering: .relaxed).newValue
        let deadline = DispatchTime.now().uptimeNanoseconds &+ (timeout ?? callTimeout).nanoseconds
        let outcome: Exchange.Outcome
        if isShielded {
            outcome = await withCheckedContinuation { submit(Exchange(id, request, deadline, $0)) }
        } else {
            outcome = await withTaskCancellationHandler {
                await withCheckedContinuation {
                    submit(Exchange(id, request, deadline, $0))
                    // A cancellation that came before the submission found nothing to cancel.
                    if Task.isCancelled { cancel(id) }
                }
            } onCancel: {
                cancel(id)
            }
        }
        return try outcome.get()
    }

    private func submit(_ exchange: sending Exchange) {
        perform { $0.submit(exchange) }
    }

    private func cancel(_ id: UInt64) {
        perform { $0.cancel(id, now: DispatchTime.now().uptimeNanoseconds) }
    }

    // MARK: - Socket, timer

    private func watch() {
        let isWatched = shared.withLock { shared in
            guard let session = shared.core.session else { return false }
            shared.watch = SocketEvents.shared.watch(session.descriptor) { [weak self] in self?.perform { $0.ready() } }
            return shared.watch != nil
        }
        if !isWatched { perform { $0.close("the kernel takes no more sockets to watch") } }
    }

    /// Takes one step of the core and does what it asks for.
    private func perform(_ step: (ConnectionCore) -> ConnectionCore.Effects) {
        let (effects, answers) = shared.withLock { shared in
            // Held until it is no longer watched: its end closes the descriptor.
            let session = shared.core.session
            let effects = step(shared.core)
            if let session, let watch = shared.watch {
                if effects.closed != nil {
                    SocketEvents.shared.unwatch(watch, session.descriptor)
                    shared.watch = nil
                } else if effects.wantsWrite != shared.isWatchedForWriting {
                    SocketEvents.shared.set(watch, session.descriptor, wantsWrite: effects.wantsWrite)
                    shared.isWatchedForWriting = effects.wantsWrite
                }
            }
            return (effects, shared.core.takeOwed())
        }
        for answer in answers { answer.deliver() }
        if let wakeAt = effects.wakeAt {
            queue.asyncAfter(deadline: DispatchTime(uptimeNanoseconds: wakeAt)) { [weak self] in
                self?.perform { $0.woke(now: DispatchTime.now().uptimeNanoseconds) }
            }
        }
        for notification in effects.notifications { observer.notified(notification) }
        if let request = effects.cancelRequest { CancelRequests.send(request) }
        if let reason = effects.closed { observer.closed(reason) }
    }
}

extension Exchange {
    init(
        _ id: UInt64,
        _ request: Request,
        _ deadline: UInt64,
        _ continuation: CheckedContinuation<Outcome, Never>
    ) {
        self.id = id
        self.request = request
        self.deadline = deadline
        self.continuation = continuation
    }
}

/// Sends cancel requests from a thread that may block, since libpq connects for each.
private enum CancelRequests {
    /// The most that wait; more are dropped, and the server finds out when it answers a closed session.
    private static let waitingMax = 32
    private static let queue = DispatchQueue(label: "muster.postgres.cancel")
    private static let waiting = Atomic<Int>(0)

    static func send(_ request: LibpqCancelRequest) {
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= waitingMax else {
            waiting.wrappingSubtract(1, ordering: .relaxed)
            return
        }
        queue.async {
            request.send()
            waiting.wrappingSubtract(1, ordering: .relaxed)
        }
    }
}
