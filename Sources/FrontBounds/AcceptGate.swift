package import NIOCore

/// Lets the listener take connections only while there is room for them. The others wait in the kernel's backlog; when
/// that is full too, the kernel does not answer, and clients try again by TCP's own backoff.
package final class AcceptGate: ChannelDuplexHandler {
    package typealias InboundIn = any Channel
    package typealias InboundOut = any Channel
    package typealias OutboundIn = Never

    /// Connections that the listener takes at a time, so that a bound of so many or more is never passed.
    package static let perReadMax = 16
    /// How often a held listener looks again: a handshake that stalls tells nobody.
    private static let lookAgain: TimeAmount = .milliseconds(250)

    private let ledger: ConnectionLedger
    private let perRead: Int
    private var isHeld = false

    /// - Parameter perRead: Connections that one read takes at most.
    package init(_ ledger: ConnectionLedger, perRead: Int) {
        self.ledger = ledger
        self.perRead = perRead
    }

    /// What one read may take, so that small bounds hold too.
    package static func perRead(_ bounds: ConnectionLedger.Bounds) -> Int {
        max(1, min(perReadMax, min(bounds.connections, bounds.handshakes) / perReadMax))
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        let gate = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        ledger.whenRoom {
            gate.eventLoop.execute { gate.value.0.letIn(gate.value.1) }
        }
    }

    package func handlerRemoved(context: ChannelHandlerContext) { ledger.whenRoom {} }

    /// Counted here, on the listener's own loop, so that the next look for room knows of it.
    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = unwrapInboundIn(data)
        guard ledger.opened(channel, address: channel.sourceAddress, now: .now()) else {
            return channel.close(promise: nil)
        }
        channel.closeFuture.whenComplete { [ledger, id = ConnectionLedger.id(of: channel)] _ in ledger.closed(id) }
        context.fireChannelRead(data)
    }

    package func read(context: ChannelHandlerContext) {
        if ledger.hasRoom(for: perRead, now: .now()) { return context.read() }
        guard !isHeld else { return }
        isHeld = true
        lookLater(context)
    }

    private func lookLater(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.lookAgain) {
            self.letIn(context)
            if self.isHeld, context.channel.isActive { self.lookLater(context) }
        }
    }

    private func letIn(_ context: ChannelHandlerContext) {
        guard isHeld, ledger.hasRoom(for: perRead, now: .now()) else { return }
        isHeld = false
        context.read()
    }
}

extension Channel {
    /// The IP address of the peer.
    package var sourceAddress: String { remoteAddress?.ipAddress ?? "unknown" }
}
