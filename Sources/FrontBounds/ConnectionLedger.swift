package import NIOCore
import Synchronization

/// Counts connections, handshakes and requests against their bounds, for all event loops of a front. What it cannot
/// take waits in the listener's backlog, oldest first, where it costs nothing: who was let in is served to the end.
package final class ConnectionLedger: Sendable {
    package struct Bounds: Sendable {
        let connections: Int
        let connectionsPerAddress: Int
        let handshakes: Int
        let requests: Int

        package init(connections: Int, connectionsPerAddress: Int, handshakes: Int, requests: Int) {
            self.connections = connections
            self.connectionsPerAddress = connectionsPerAddress
            self.handshakes = handshakes
            self.requests = requests
        }
    }

    /// Names a connection while it is open.
    package typealias ConnectionID = ObjectIdentifier

    private struct Connection {
        let channel: any Channel
        let address: String
        let since: NIODeadline
        var isShakingHands = true
    }

    private struct State {
        var connections: [ConnectionID: Connection] = [:]
        var perAddress: [String: Int] = [:]
        /// In the order in which they began; those that ended are skipped.
        var handshakes: [(id: ConnectionID, since: NIODeadline)] = []
        var handshakesStart = 0
        var shakingHands = 0
        var requests = 0
        var isStopping = false
        /// True while the listener waits to be told that there is room.
        var isListenerWaiting = false
        var drained: CheckedContinuation<Void, Never>?
    }

    /// A handshake that takes longer than this may be ended in favour of one that begins.
    static let stalledAfter: TimeAmount = .seconds(2)

    package let bounds: Bounds
    private let observer: any FrontObserver
    private let state = Mutex(State())
    private let onRoom = Mutex<(@Sendable () -> Void)?>(nil)

    package init(_ bounds: Bounds, observer: any FrontObserver) {
        self.bounds = bounds
        self.observer = observer
    }

    /// `wake` is called, on any thread, when there is room again after `hasRoom` said no.
    func whenRoom(_ wake: @escaping @Sendable () -> Void) { onRoom.withLock { $0 = wake } }

    /// True if the listener may take `count` more connections. Otherwise it is woken when it may.
    func hasRoom(for count: Int, now: NIODeadline) -> Bool {
        var reached: FrontLimit?
        var stalled: [any Channel] = []
        let hasRoom = state.withLock { state in
            if state.connections.count + count > bounds.connections { reached = .connections }
            if state.shakingHands + count > bounds.handshakes {
                stalled = Self.stalled(&state, atMost: count, now: now)
                // Those that are closed now wake the listener.
                reached = reached ?? .handshakes
            }
            state.isListenerWaiting = reached != nil
            return reached == nil
        }
        if let reached { observer.reached(reached) }
        for channel in stalled { channel.close(promise: nil) }
        return hasRoom
    }

    package static func id(of channel: any Channel) -> ConnectionID { ObjectIdentifier(channel) }

    /// Takes a connection up, which is paid back by `closed`. False if it must be closed: its address has too many, or
    /// the front is stopping.
    func opened(_ channel: any Channel, address: String, now: NIODeadline) -> Bool {
        let id = Self.id(of: channel)
        var isOverBound = false
        let isTaken = state.withLock { state in
            guard !state.isStopping else { return false }
            guard state.perAddress[address, default: 0] < bounds.connectionsPerAddress else {
                isOverBound = true
                return false
            }
            state.connections[id] = Connection(channel: channel, address: address, since: now)
            state.perAddress[address, default: 0] += 1
            state.shakingHands += 1
            state.handshakes.append((id, now))
            Self.forgetEnded(&state)
            return true
        }
        if isOverBound { observer.reached(.connectionsPerAddress) }
        return isTaken
    }

    package func handshakeEnded(_ id: ConnectionID) {
        let wakes = state.withLock { state in
            Self.endHandshake(id, &state)
            return Self.takeWaiting(&state)
        }
        if wakes { wake() }
    }

    package func closed(_ id: ConnectionID) {
        let (wakes, drained) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            Self.endHandshake(id, &state)
            guard let connection = state.connections.removeValue(forKey: id) else { return (false, nil) }
            let left = state.perAddress[connection.address, default: 1] - 1
            state.perAddress[connection.address] = left > 0 ? left : nil
            var drained: CheckedContinuation<Void, Never>?
            if state.isStopping, state.connections.isEmpty { swap(&drained, &state.drained) }
            return (Self.takeWaiting(&state), drained)
        }
        if wakes { wake() }
        drained?.resume()
    }

    /// False if too many requests are on their way. Each true is paid back by `requestEnded`.
    package func requestBegan() -> Bool {
        let hasRoom = state.withLock { state in
            guard state.requests < bounds.requests else { return false }
            state.requests += 1
            return true
        }
        if !hasRoom { observer.reached(.requests) }
        return hasRoom
    }

    package func requestEnded() { state.withLock { $0.requests -= 1 } }

    /// Takes no more connections.
    /// - Returns: Those that are open.
    package func stop() -> [any Channel] {
        state.withLock { state in
            state.isStopping = true
            return state.connections.values.map(\.channel)
        }
    }

    /// Returns when no connection is left; call it once, after `stop`.
    package func drain() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                guard !state.connections.isEmpty else { return true }
                state.drained = continuation
                return false
            }
            if isEmpty { continuation.resume() }
        }
    }

    private func wake() { onRoom.withLock { $0 }?() }

    private static func takeWaiting(_ state: inout State) -> Bool {
        defer { state.isListenerWaiting = false }
        return state.isListenerWaiting
    }

    private static func endHandshake(_ id: ConnectionID, _ state: inout State) {
        guard state.connections[id]?.isShakingHands == true else { return }
        state.connections[id]?.isShakingHands = false
        state.shakingHands -= 1
    }

    /// The oldest handshakes that take too long.
    private static func stalled(_ state: inout State, atMost count: Int, now: NIODeadline) -> [any Channel] {
        var found: [any Channel] = []
        for entry in state.handshakes[state.handshakesStart...] where found.count < count {
            guard let connection = shakingHands(entry, state) else { continue }
            guard now - connection.since > stalledAfter else { break }
            found.append(connection.channel)
        }
        return found
    }

    /// The connection of an entry; nil if its handshake has ended, even if another connection has the name now.
    private static func shakingHands(_ entry: (id: ConnectionID, since: NIODeadline), _ state: State) -> Connection? {
        guard let connection = state.connections[entry.id], connection.isShakingHands, connection.since == entry.since
        else { return nil }
        return connection
    }

    /// Skips what ended at the front, and drops it now and then, so that each connection costs the same.
    private static func forgetEnded(_ state: inout State) {
        while state.handshakesStart < state.handshakes.count,
            shakingHands(state.handshakes[state.handshakesStart], state) == nil
        {
            state.handshakesStart += 1
        }
        guard state.handshakesStart > 64, state.handshakesStart * 2 > state.handshakes.count else { return }
        state.handshakes.removeFirst(state.handshakesStart)
        state.handshakesStart = 0
    }
}
