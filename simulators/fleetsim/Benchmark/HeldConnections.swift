import NIOCore
import NIOSSL

/// Connections that enroll once and then stay open, as gateways' do, so that the server's memory can be seen.
final class HeldConnections: @unchecked Sendable {
    // Unchecked: `channels` is touched by the one task that opens and closes.
    /// Opened at once; more would only wait for each other.
    private static let openingMax = 64

    private let fleet: BenchFleet
    private let endpoint: LoopbackEndpoint
    private let verified = VerifiedServer()
    private var channels: [any Channel] = []

    init(fleet: BenchFleet, endpoint: LoopbackEndpoint) {
        self.fleet = fleet
        self.endpoint = endpoint
    }

    /// Opens `count` connections, and enrolls a device on each.
    /// - Throws: `SimulatorError` if one of them does not.
    func open(_ count: Int, on loop: any EventLoop) async throws {
        let connections = try fleet.makeHeldConnections(count)
        for first in stride(from: 0, to: count, by: Self.openingMax) {
            let group = connections[first..<min(first + Self.openingMax, count)]
            let opened = try await loop.submit { [self] in group.map { open($0, on: loop) } }.get()
            channels += try await EventLoopFuture.whenAllSucceed(opened, on: loop).get()
        }
    }

    func close() async throws {
        for channel in channels { try? await channel.close() }
        channels = []
    }

    private func open(
        _ connection: BenchFleet.Connection,
        on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        let answered = loop.makePromise(of: Void.self)
        let channel = LoadConnection.open(
            connection,
            endpoint: endpoint,
            server: verified,
            on: loop,
            onAnswer: { status in
                guard status == 200 else {
                    let text = status.map { "was answered \($0)" } ?? "got no answer"
                    return answered.fail(SimulatorError.credential("a connection that is to be held \(text)"))
                }
                answered.succeed()
            },
            onEnd: {}
        )
        return channel.and(answered.futureResult).map { $0.0 }
    }
}
