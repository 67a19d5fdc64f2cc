import FrontBounds
import HummingbirdCore
import NIOCore
import Synchronization

/// Puts a gate before a listener of Hummingbird's, which is taken up only once it serves. Until the gate stands no
/// connection is taken, so that none passes uncounted.
final class ListenerGate: AvailableConnectionsDelegate {
    private let ledger: ConnectionLedger
    private let isStanding = Atomic<Bool>(false)

    init(_ ledger: ConnectionLedger) { self.ledger = ledger }

    // What the gate lets in is counted by the ledger.
    func connectionOpened() {}
    func connectionClosed() {}
    func isAcceptingNewConnections() -> Bool { isStanding.load(ordering: .acquiring) }

    /// Puts the gate up, and has the listener begin to take connections.
    func stand(before listener: any Channel) async throws {
        let perRead = AcceptGate.perRead(ledger.bounds)
        try await listener.setOption(.maxMessagesPerRead, value: UInt(perRead)).get()
        try await listener.eventLoop.submit { [ledger] in
            try listener.pipeline.syncOperations.addHandler(
                AcceptGate(ledger, perRead: perRead),
                position: ChannelPipeline.SynchronousOperations.Position.first
            )
        }.get()
        isStanding.store(true, ordering: .releasing)
        // The listener asked for connections before, and was told to wait.
        listener.read()
    }
}
