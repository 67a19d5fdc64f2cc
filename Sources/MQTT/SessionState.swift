/// What one connection knows of itself: calls that wait for the broker's answer, and how far the connection is.
/// Pure: it starts nothing and tells nobody; what it returns is for the caller to do.
struct SessionState<Waiter> {
    enum Phase: Equatable {
        case connecting
        case connected(sessionPresent: Bool)
        /// Ends as soon as the thread comes round; the reason is for whoever waits.
        case closing(MQTTError)
        case ended(MQTTError)
    }

    private struct Pending {
        let waiter: Waiter
        let deadline: ContinuousClock.Instant
    }

    private(set) var phase = Phase.connecting
    private var queue: [SessionCall] = []
    private var pending: [UInt64: Pending] = [:]
    private var tickets: [Int32: UInt64] = [:]
    /// Answers that came while the call that they answer was still being made.
    private var early: [Int32: Int] = [:]
    private var lastTicket: UInt64 = 0

    var isConnected: Bool {
        if case .connected = phase { true } else { false }
    }

    /// Why the connection is not open; nil if it is.
    var openError: MQTTError? {
        switch phase {
        case .connecting: .notConnected
        case .connected: nil
        case .closing(let error), .ended(let error): error
        }
    }

    /// A number for a call to come, by which it is known until it is answered.
    mutating func nextTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    /// Takes a call; the error if it cannot wait for an answer here.
    mutating func enqueue(
        _ call: SessionCall,
        waiter: Waiter,
        deadline: ContinuousClock.Instant,
        callsMax: Int
    ) -> MQTTError? {
        guard case .connected = phase else { return .notConnected }
        guard pending.count < callsMax else { return .busy }
        pending[call.ticket] = Pending(waiter: waiter, deadline: deadline)
        queue.append(call)
        return nil
    }

    /// The calls to make now. One that nobody waits for any more is not made.
    mutating func takeCalls() -> [SessionCall] {
        let calls = queue.filter { pending[$0.ticket] != nil }
        queue = []
        return calls
    }

    /// The call was made under that id. The waiter and reason code if its answer came already.
    mutating func made(_ ticket: UInt64, messageID: Int32) -> (Waiter, Int)? {
        defer { early = [:] }
        if let reason = early[messageID] { return remove(ticket).map { ($0, reason) } }
        tickets[messageID] = ticket
        return nil
    }

    /// An answer came. Its waiter, if there still is one.
    mutating func answered(messageID: Int32, reasonCode: Int) -> Waiter? {
        guard let ticket = tickets.removeValue(forKey: messageID) else {
            early[messageID] = reasonCode
            return nil
        }
        return remove(ticket)
    }

    /// Nobody waits for that call any more. Its waiter, if it was not answered yet.
    mutating func remove(_ ticket: UInt64) -> Waiter? { pending.removeValue(forKey: ticket)?.waiter }

    /// Those whose time is over.
    mutating func overdue(at now: ContinuousClock.Instant) -> [Waiter] {
        let late = pending.filter { $0.value.deadline <= now }
        for ticket in late.keys { pending[ticket] = nil }
        return late.values.map(\.waiter)
    }

    /// The broker accepted the connection. False if it is wanted no more.
    mutating func opened(sessionPresent: Bool) -> Bool {
        guard phase == .connecting else { return false }
        phase = .connected(sessionPresent: sessionPresent)
        return true
    }

    /// Asks for the end; the first reason stays.
    mutating func close(_ reason: MQTTError) {
        switch phase {
        case .connecting, .connected: phase = .closing(reason)
        case .closing, .ended: break
        }
    }

    /// The end. Everybody who still waits.
    mutating func end(_ reason: MQTTError) -> [Waiter] {
        close(reason)
        if case .closing(let first) = phase { phase = .ended(first) }
        let left = pending.values.map(\.waiter)
        pending = [:]
        queue = []
        tickets = [:]
        return left
    }
}

/// Something that a session is asked to do, under a number by which it is known until it is answered.
struct SessionCall {
    let ticket: UInt64
    let action: SessionAction
}

/// What a session can be asked to do.
enum SessionAction: Equatable, Sendable {
    case publish(topic: String, payload: [UInt8], qos: QoS, retain: Bool)
    case subscribe(filter: String, qos: QoS)
}
