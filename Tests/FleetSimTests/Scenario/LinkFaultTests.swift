import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Testing

@testable import fleetsim

/// What faults of the link are on the wire, as a peer sees them.
@Suite struct `A faulty link` {
    /// Asks over a connection with those conditions.
    /// - Returns: What it failed with.
    private func ask(_ port: Int, _ conditions: ConnectionConditions) async throws -> (any Error)? {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let exchange = HTTPExchange(group: group, endpoint: try LoopbackEndpoint(host: "127.0.0.1", port: port))
        var failure: (any Error)?
        do {
            _ = try await exchange.ask(
                HTTPQuestion(method: .GET, path: "/", fields: [], body: []),
                tls: NIOSSLContext(configuration: .makeClientConfiguration()),
                conditions: conditions
            )
        } catch { failure = error }
        try await group.shutdownGracefully()
        return failure
    }

    @Test(arguments: [1, 5, 100, 181])
    func `resets after exactly so many octets sent, though a handshake has only begun`(octets: Int) async throws {
        try await RawPeer.with { peer in
            let failure = try await ask(peer.port, ConnectionConditions(cut: .sent(octets: octets)))
            let seen = try await peer.ended()
            #expect(seen.octets.count == octets && seen.isReset)
            #expect(failure.map { "\($0)" } == "the connection was reset")
        }
    }

    @Test func `resets before the first octet`() async throws {
        try await RawPeer.with { peer in
            _ = try await ask(peer.port, ConnectionConditions(cut: .sent(octets: 0)))
            let seen = try await peer.ended()
            #expect(seen.octets.isEmpty && seen.isReset)
        }
    }

    @Test(arguments: [0, 1, 4]) func `resets after so many octets received`(octets: Int) async throws {
        // The beginning of a TLS record that never comes to its end: nothing but the cut ends the exchange.
        try await RawPeer.with(greeting: [0x16, 3, 3, 0x3F, 0xFF, 2]) { peer in
            let failure = try await ask(peer.port, ConnectionConditions(cut: .received(octets: octets)))
            #expect(failure.map { "\($0)" } == "the connection was reset")
            #expect(try await peer.ended().isReset)
        }
    }

    @Test func `without a cut ends by an end, not by a reset`() async throws {
        try await RawPeer.with(greeting: Array("no TLS".utf8)) { peer in
            _ = try await ask(peer.port, ConnectionConditions())
            #expect(try await peer.ended().isReset == false)
        }
    }

    @Test func `lets octets trickle, and all of them arrive in order`() async throws {
        try await RawPeer.with { peer in
            let began = ContinuousClock.now
            let link = SlowLink(octetsPerSecond: 1000, latencyMilliseconds: 30)
            // A cut where the hello is nearly over, so that the exchange has an end.
            _ = try await ask(peer.port, ConnectionConditions(cut: .sent(octets: 150), link: link))
            let seen = try await peer.ended()
            #expect(seen.octets.count == 150)
            // A TLS record: handshake, and the length that the rest of a ClientHello has.
            #expect(Array(seen.octets.prefix(2)) == [0x16, 3])
            // 150 octets of which each 50 take 50 ms, after the latency: no sooner.
            #expect(seen.arrivals.last.map { $0 - began >= .milliseconds(180) } == true)
            #expect(seen.arrivals.count >= 2)
        }
    }

    @Test func `brings a server back for all who wait at once, and gives up in time`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await RawPeer.with { peer in
            let there = ServerReturn(group: group, endpoint: try LoopbackEndpoint(host: "127.0.0.1", port: peer.port))
            async let first = there.isBack(within: .seconds(20))
            async let second = there.isBack(within: .seconds(20))
            #expect(await first)
            #expect(await second)
        }
        // Nobody listens on port 1.
        let away = ServerReturn(group: group, endpoint: try LoopbackEndpoint(host: "127.0.0.1", port: 1))
        #expect(await away.isBack(within: .milliseconds(150)) == false)
        try await group.shutdownGracefully()
    }
}
