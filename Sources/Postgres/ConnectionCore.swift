import CLibpq
import DequeModule
import Dispatch

/// What one call asks of a connection, and what became of it so far.
struct Exchange {
    /// What is sent.
    enum Request {
        /// Statements with one sync behind them.
        case pipeline([PostgresQuery])
        /// SQL text of any number of statements, without values.
        case simple(String)
    }

    /// What one run of results from libpq answers.
    enum Step {
        case deallocate(name: String)
        case prepare(name: String, statement: Int)
        case execute(name: String, statement: Int)
    }

    typealias Outcome = Result<[PostgresRows], ExchangeFailure>

    let id: UInt64
    let request: Request
    /// On the clock of `DispatchTime`, in nanoseconds.
    var deadline: UInt64
    /// Gone once the caller was answered, which may be before the server's answer is read to its end.
    var continuation: CheckedContinuation<Outcome, Never>?
    var steps: [Step] = []
    var position = 0
    var rows: [PostgresRows] = []
    var failure: PostgresError?
}

/// Why an exchange failed, and whether anything of it may have reached the server.
struct ExchangeFailure: Error {
    var error: PostgresError
    var wasSent: Bool
}

/// The logic of one connection: one exchange on the wire, the others in line behind it.
///
/// Not Sendable: `PostgresConnection` keeps it behind its lock. Nothing here waits or blocks, and nothing here
/// resumes a caller: outcomes are owed until the lock is left (`takeOwed`).
final class ConnectionCore {
    /// The most calls that wait for their turn on one connection.
    static let waitingMax = 64
    /// How long the answer to a cancelled call may take before the connection is given up.
    static let drainTimeout: Duration = .milliseconds(250)

    /// What the shell has to do after a step.
    struct Effects {
        /// Output is left that the socket did not take.
        var wantsWrite: Bool
        /// Something must be looked at again at this time.
        var wakeAt: UInt64?
        var notifications: [PostgresNotification] = []
        /// The connection is over, for this reason.
        var closed: String?
        /// Asks the server to stop what it is doing for us.
        var cancelRequest: LibpqCancelRequest?
    }

    /// An outcome that a caller waits for. It is delivered outside the lock that guards the core: a task that is being
    /// cancelled holds its own lock while it asks for this one, and resuming it asks for the two in the other order.
    struct Answer {
        let continuation: CheckedContinuation<Exchange.Outcome, Never>
        let outcome: Exchange.Outcome

        func deliver() { continuation.resume(returning: outcome) }
    }

    private(set) var session: LibpqSession?
    private var cache: StatementCache
    private var current: Exchange?
    private var waiting: Deque<Exchange> = []
    private var closeReason = "the connection was closed"
    private var wakeAt: UInt64?
    private var wantsWrite = false
    private var owed: [Answer] = []

    /// The outcomes to deliver; each is given once.
    func takeOwed() -> [Answer] {
        defer { owed = [] }
        return owed
    }

    private func owe(_ exchange: Exchange, _ outcome: Exchange.Outcome) {
        guard let continuation = exchange.continuation else { return }
        owed.append(Answer(continuation: continuation, outcome: outcome))
    }

    init(session: LibpqSession, preparedStatementsMax: Int) {
        self.session = session
        cache = StatementCache(countMax: preparedStatementsMax)
    }

    var isClosed: Bool { session == nil }
    /// True while something is on the wire or in line.
    var isBusy: Bool { current != nil }
    var isInTransaction: Bool { session?.isInTransaction ?? false }

    func submit(_ exchange: Exchange) -> Effects {
        var effects = unchanged()
        guard session != nil else {
            finish(exchange, .unavailable(closeReason), wasSent: false)
            return effects
        }
        if current == nil {
            start(exchange, &effects)
        } else if waiting.count >= Self.waitingMax {
            finish(exchange, .unavailable("\(Self.waitingMax) calls wait for one connection already"), wasSent: false)
        } else {
            waiting.append(exchange)
            wake(at: exchange.deadline, &effects)
        }
        return effects
    }

    /// The caller no longer waits. What is on the wire is read to its end, for a short while.
    func cancel(_ id: UInt64, now: UInt64) -> Effects {
        var effects = unchanged()
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            finish(waiting.remove(at: index), .cancelled, wasSent: false)
        } else if var exchange = current, exchange.id == id, exchange.continuation != nil {
            owe(exchange, .failure(ExchangeFailure(error: .cancelled, wasSent: true)))
            exchange.continuation = nil
            exchange.deadline = min(exchange.deadline, now + Self.drainTimeout.nanoseconds)
            current = exchange
            wake(at: exchange.deadline, &effects)
        }
        return effects
    }

    /// The descriptor has something to read, or takes output again.
    func ready() -> Effects {
        var effects = unchanged()
        guard let session else { return effects }
        let isAlive = session.consumeInput()
        process(&effects)
        guard self.session != nil else { return effects }
        while let notification = session.nextNotification() { effects.notifications.append(notification) }
        if !isAlive || session.isBroken {
            close(session.errorMessage, &effects)
        } else if wantsWrite {
            // What libpq holds back may also wait for us to have read.
            flush(&effects)
        }
        effects.wantsWrite = wantsWrite
        return effects
    }

    /// The time that was asked for with `wakeAt` has come.
    func woke(now: UInt64) -> Effects {
        var effects = unchanged()
        wakeAt = nil
        for exchange in waiting where exchange.deadline <= now { finish(exchange, .timedOut, wasSent: false) }
        waiting.removeAll { $0.deadline <= now }
        if let exchange = current, exchange.deadline <= now {
            // The server may hold locks for the statement, so it is told; and the session, in mid-answer, is given up.
            effects.cancelRequest = session?.cancelRequest()
            if let failed = current, failed.continuation != nil {
                current = nil
                finish(failed, .timedOut, wasSent: true)
            }
            close("a call did not end before its deadline", &effects)
        }
        let next = ([current?.deadline] + waiting.map(\.deadline)).compactMap(\.self).min()
        if let next { wake(at: next, &effects) }
        return effects
    }

    func close(_ reason: String) -> Effects {
        var effects = unchanged()
        close(reason, &effects)
        return effects
    }

    /// No effect but what holds already.
    func unchanged() -> Effects { Effects(wantsWrite: wantsWrite) }

    // MARK: - The exchange on the wire

    private func start(_ exchange: Exchange, _ effects: inout Effects) {
        guard let session else { return finish(exchange, .unavailable(closeReason), wasSent: false) }
        var exchange = exchange
        let isSent: Bool
        switch exchange.request {
        case .pipeline(let queries):
            if let query = queries.first(where: { $0.bindings.count > PostgresQuery.bindingsMax }) {
                let reason =
                    "it binds \(query.bindings.count) values, \(PostgresQuery.bindingsMax) at most; bind arrays"
                return finish(exchange, .invalidQuery(reason), wasSent: false)
            }
            isSent = send(queries, session, &exchange.steps)
        case .simple(let sql):
            isSent = session.exitPipelineMode() && session.sendSimple(sql)
        }
        current = exchange
        guard isSent else { return close(session.errorMessage, &effects) }
        wake(at: exchange.deadline, &effects)
        flush(&effects)
    }

    private func send(_ queries: [PostgresQuery], _ session: LibpqSession, _ steps: inout [Exchange.Step]) -> Bool {
        steps.reserveCapacity(queries.count)
        // In a failed transaction DEALLOCATE would fail too, and take the ROLLBACK behind it along.
        for name in session.isInFailedTransaction ? [] : cache.evicted {
            guard session.send("DEALLOCATE \(name)") else { return false }
            steps.append(.deallocate(name: name))
        }
        for (statement, query) in queries.enumerated() {
            let name: String
            switch cache.lookUp(query) {
            case .prepared(let prepared): name = prepared
            case .prepare(let fresh):
                name = fresh
                guard session.sendPrepare(name, query.sql, types: query.bindings.types) else { return false }
                steps.append(.prepare(name: name, statement: statement))
            }
            guard session.sendExecute(name, query.bindings) else { return false }
            steps.append(.execute(name: name, statement: statement))
        }
        return session.sync()
    }

    private func flush(_ effects: inout Effects) {
        guard let session else { return }
        switch session.flush() {
        case 0: wantsWrite = false
        case 1: wantsWrite = true
        default:
            // The server may have said why before it went; that stands in the input.
            _ = session.consumeInput()
            process(&effects)
            close(session.errorMessage, &effects)
        }
        effects.wantsWrite = wantsWrite
    }

    /// Takes the results that are there, until libpq has to wait for more.
    private func process(_ effects: inout Effects) {
        while let session, current != nil, !session.isBusy {
            guard let result = session.nextResult() else {
                if case .simple = current?.request {
                    guard session.enterPipelineMode() else { return close(session.errorMessage, &effects) }
                    complete(&effects)
                    continue
                }
                current?.position += 1
                guard let current, current.position <= current.steps.count, !session.isBroken else {
                    return close(session.errorMessage, &effects)
                }
                continue
            }
            take(result, session, &effects)
        }
    }

    private func take(_ result: LibpqResult, _ session: LibpqSession, _ effects: inout Effects) {
        guard let position = current?.position else { return }
        let step = current.flatMap { position < $0.steps.count ? $0.steps[position] : nil }
        switch result.status {
        case PGRES_PIPELINE_SYNC: complete(&effects)
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            switch step {
            case .execute, nil: current?.rows.append(PostgresRows(result))
            case .deallocate(let name): cache.deallocated(name: name)
            case .prepare: break
            }
        case PGRES_PIPELINE_ABORTED:
            if case .prepare(let name, _) = step { cache.forget(name: name, deallocate: false) }
        case PGRES_FATAL_ERROR:
            fail(at: step, result, session)
            if session.isBroken { close(session.errorMessage, &effects) }
        default:
            close("the server began a COPY, which this client does not speak", &effects)
        }
    }

    private func fail(at step: Exchange.Step?, _ result: LibpqResult, _ session: LibpqSession) {
        var statement = 0
        var name: String?
        var isPrepared = false
        switch step {
        case .execute(let prepared, let index): (name, statement, isPrepared) = (prepared, index, true)
        case .prepare(let fresh, let index): (name, statement) = (fresh, index)
        case .deallocate(let stale): cache.deallocated(name: stale)
        case nil: break
        }
        let refusal = result.refusal(statement: statement)
        if let name, !isPrepared || refusal.isStalePlan {
            // A name that the server does not know (26000) must not be deallocated: that would fail in its turn.
            cache.forget(name: name, deallocate: isPrepared && refusal.sqlState != "26000")
        }
        guard current?.failure == nil else { return }
        if refusal.sqlState.isEmpty || result.isFatal || refusal.meansUnavailable {
            current?.failure = .unavailable(refusal.message)
        } else if refusal.sqlState == "57014" {
            // query_canceled: the server's own statement_timeout
            current?.failure = .timedOut
        } else {
            current?.failure = .server(refusal)
        }
    }

    /// The server has answered all of it.
    private func complete(_ effects: inout Effects) {
        guard let exchange = current else { return }
        current = nil
        if let failure = exchange.failure {
            finish(exchange, failure, wasSent: true)
            if case .unavailable(let reason) = failure {
                // This server cannot serve us any more (read-only, shutting down): the next connection may find another.
                return close(reason, &effects)
            }
        } else {
            owe(exchange, .success(exchange.rows))
        }
        if let next = waiting.popFirst() { start(next, &effects) }
    }

    private func close(_ reason: String, _ effects: inout Effects) {
        guard session != nil else { return }
        session = nil
        closeReason = reason
        effects.closed = reason
        if let exchange = current {
            current = nil
            // What the server said before it went tells more than the loss itself.
            var error = PostgresError.unavailable(reason)
            if case .unavailable(let told) = exchange.failure { error = .unavailable(told) }
            finish(exchange, error, wasSent: true)
        }
        while let exchange = waiting.popFirst() { finish(exchange, .unavailable(reason), wasSent: false) }
    }

    private func finish(_ exchange: Exchange, _ error: PostgresError, wasSent: Bool) {
        owe(exchange, .failure(ExchangeFailure(error: error, wasSent: wasSent)))
    }

    private func wake(at deadline: UInt64, _ effects: inout Effects) {
        if let wakeAt, wakeAt <= deadline { return }
        wakeAt = deadline
        effects.wakeAt = deadline
    }
}
