package import NIOCore

/// When a connection is to be looked at, if nothing happens before, and what is done then. It has one such time, since a
/// connection does one thing at a time. Used on its event loop alone.
package final class ConnectionDeadline {
    fileprivate var at = NIODeadline.distantFuture
    fileprivate var act: (() -> Void)?
    /// True once the connection is closed: what would be done holds on to it.
    fileprivate var isOver = false

    package init() {}

    /// Replaces what was set before. It may be late by `LoopDeadlines.interval`.
    package func set(in time: TimeAmount, _ act: @escaping () -> Void) {
        guard !isOver else { return }
        at = .now() + time
        self.act = act
    }

    package func clear() {
        at = .distantFuture
        act = nil
    }
}

/// The deadlines of all connections of one event loop, on one timer. With a timer for each, an enrollment would put
/// several into the loop's queue and take them out again, and to take one out costs more the more connections are open.
package final class LoopDeadlines {
    /// Between two looks at all of them.
    static let interval: TimeAmount = .milliseconds(100)

    private let eventLoop: any EventLoop
    private var watched: [ObjectIdentifier: ConnectionDeadline] = [:]
    private var isTicking = false

    package init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Until `forget`.
    package func watch(_ deadline: ConnectionDeadline) {
        watched[ObjectIdentifier(deadline)] = deadline
        if !isTicking { tickLater() }
    }

    package func forget(_ deadline: ConnectionDeadline) {
        deadline.isOver = true
        deadline.clear()
        watched[ObjectIdentifier(deadline)] = nil
    }

    private func tickLater() {
        isTicking = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.interval) { self.tick() }
    }

    private func tick() {
        let now = NIODeadline.now()
        for deadline in watched.values.filter({ $0.at <= now }) {
            let act = deadline.act
            deadline.clear()
            act?()
        }
        if watched.isEmpty { isTicking = false } else { tickLater() }
    }
}
