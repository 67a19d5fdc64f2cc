import DequeModule

/// The pool's decisions, without its connections, its clock or its randomness: each event gives the actions to take.
struct PoolStateMachine {
    typealias ConnectionID = UInt64
    typealias WaiterID = UInt64

    struct Limits {
        var connectionsMax: Int
        var connectionsMin: Int
        var waitingMax: Int
        /// How long a caller waits for a connection, in nanoseconds.
        var acquireTimeout: UInt64
        var backoff: Backoff
        /// After so many failures in a row, and with no connection left, callers are refused at once.
        var failuresBeforeRefusing: Int
    }

    enum Action: Equatable {
        case lend(ConnectionID, to: WaiterID)
        case refuse(WaiterID, String)
        case open(ConnectionID)
        case close(ConnectionID)
        /// Calls `retry` after so many nanoseconds.
        case retry(after: UInt64)
        /// Calls `expire` at this time.
        case wake(at: UInt64)
    }

    enum Acquisition: Equatable {
        /// A connection that was idle since the given time.
        case lent(ConnectionID, idleSince: UInt64)
        case waits([Action])
        case refused(String)
    }

    private enum Slot {
        case opening
        case idle(since: UInt64)
        case lent
    }

    private let limits: Limits
    private var slots: [ConnectionID: Slot] = [:]
    /// Used from the end, so that those not needed for long stay idle.
    private var idle: [ConnectionID] = []
    private var waiters: Deque<(id: WaiterID, deadline: UInt64)> = []
    private var opening = 0
    private var nextConnection: ConnectionID = 1
    private var failures = 0
    private var isPausing = false
    private var isWakeAsked = false
    private var isMaintained = false
    private var isClosed = false
    private var reason: String?
    private var turnedAway = 0

    init(limits: Limits) { self.limits = limits }

    var statistics: PostgresPool.Statistics {
        PostgresPool.Statistics(
            inUse: slots.count - idle.count - opening,
            idle: idle.count,
            opening: opening,
            waiting: waiters.count,
            connectFailures: failures
        )
    }

    /// How many callers were refused for want of room since the last call of this: too many waited, or one did for too
    /// long, while connections can be made.
    mutating func takeTurnedAway() -> Int {
        defer { turnedAway = 0 }
        return turnedAway
    }

    /// A caller wants a connection.
    mutating func acquire(_ waiter: WaiterID, now: UInt64) -> Acquisition {
        if isClosed { return .refused("the pool is closed") }
        if let id = idle.popLast(), case .idle(let since) = slots[id] {
            slots[id] = .lent
            return .lent(id, idleSince: since)
        }
        if isPausing, failures >= limits.failuresBeforeRefusing, slots.isEmpty {
            return .refused(reason ?? "no connection can be made")
        }
        if waiters.count >= limits.waitingMax {
            turnedAway += 1
            return .refused("\(limits.waitingMax) callers wait for a connection already")
        }
        waiters.append((waiter, now &+ limits.acquireTimeout))
        return .waits(openAsNeeded() + wakeAsNeeded())
    }

    /// A borrower gives its connection back.
    /// - Parameter isUsable: False if it is closed or must be.
    mutating func release(_ id: ConnectionID, isUsable: Bool, now: UInt64) -> [Action] {
        guard case .lent = slots[id] else { return [] }
        return settle(id, isUsable: isUsable, now: now)
    }

    mutating func opened(_ id: ConnectionID, now: UInt64) -> [Action] {
        guard case .opening = slots[id] else { return [.close(id)] }
        opening -= 1
        failures = 0
        reason = nil
        return settle(id, isUsable: true, now: now) + openAsNeeded()
    }

    /// - Parameter jitter: A random number from 0 to 1.
    mutating func openFailed(_ id: ConnectionID, reason: String, jitter: Double) -> [Action] {
        guard case .opening = slots.removeValue(forKey: id) else { return [] }
        opening -= 1
        failures += 1
        self.reason = reason
        if isClosed { return [] }
        var actions: [Action] = []
        if failures >= limits.failuresBeforeRefusing, slots.isEmpty {
            while let waiter = waiters.popFirst() { actions.append(.refuse(waiter.id, reason)) }
        }
        if !isPausing {
            isPausing = true
            actions.append(.retry(after: limits.backoff.pause(failures: failures, jitter: jitter)))
        }
        return actions
    }

    /// The pause after a failure is over.
    mutating func retry() -> [Action] {
        isPausing = false
        return isClosed ? [] : openAsNeeded()
    }

    /// A connection ended by itself. One that is lent is dealt with when it comes back.
    mutating func lost(_ id: ConnectionID) -> [Action] {
        guard case .idle = slots[id] else { return [] }
        slots[id] = nil
        idle.removeAll { $0 == id }
        return [.close(id)] + openAsNeeded()
    }

    /// The waiter's task was cancelled; false if it waits no more.
    mutating func cancel(_ waiter: WaiterID) -> Bool {
        guard let index = waiters.firstIndex(where: { $0.id == waiter }) else { return false }
        waiters.remove(at: index)
        return true
    }

    /// The time of a `wake` has come.
    mutating func expire(now: UInt64) -> [Action] {
        isWakeAsked = false
        var actions: [Action] = []
        while let first = waiters.first, first.deadline <= now {
            waiters.removeFirst()
            if reason == nil { turnedAway += 1 }
            actions.append(.refuse(first.id, reason ?? "all \(limits.connectionsMax) connections are in use"))
        }
        return actions + wakeAsNeeded()
    }

    /// From now on the least number of connections is kept open.
    mutating func maintain() -> [Action] {
        isMaintained = true
        return openAsNeeded()
    }

    /// Nothing is lent any more; what is lent is closed when it comes back.
    mutating func close() -> [Action] {
        isClosed = true
        var actions: [Action] = []
        while let waiter = waiters.popFirst() { actions.append(.refuse(waiter.id, "the pool is closed")) }
        for id in idle {
            slots[id] = nil
            actions.append(.close(id))
        }
        idle = []
        return actions
    }

    private mutating func settle(_ id: ConnectionID, isUsable: Bool, now: UInt64) -> [Action] {
        guard isUsable, !isClosed else {
            slots[id] = nil
            return [.close(id)] + openAsNeeded()
        }
        if let waiter = waiters.popFirst() {
            slots[id] = .lent
            return [.lend(id, to: waiter.id)]
        }
        slots[id] = .idle(since: now)
        idle.append(id)
        return []
    }

    /// One attempt for each caller that waits, and for each connection that is missing; only one while attempts fail.
    private mutating func openAsNeeded() -> [Action] {
        guard !isClosed, !isPausing else { return [] }
        var actions: [Action] = []
        while slots.count < limits.connectionsMax, failures == 0 || opening == 0 {
            let isWanted = opening < waiters.count
            let isMissing = isMaintained && slots.count < limits.connectionsMin
            guard isWanted || isMissing else { break }
            slots[nextConnection] = .opening
            opening += 1
            actions.append(.open(nextConnection))
            nextConnection += 1
        }
        return actions
    }

    private mutating func wakeAsNeeded() -> [Action] {
        guard !isWakeAsked, let first = waiters.first else { return [] }
        isWakeAsked = true
        return [.wake(at: first.deadline)]
    }
}
