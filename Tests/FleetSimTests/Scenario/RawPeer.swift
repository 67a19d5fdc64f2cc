import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A TCP server that knows no TLS: it notes what octets arrive and how each connection ends, and sends what a test says.
final class RawPeer: Sendable {
    /// One connection as the peer saw it.
    struct Seen: Sendable {
        var octets: [UInt8] = []
        /// When each piece came.
        var arrivals: [ContinuousClock.Instant] = []
        var isReset = false
        var isEnded = false
    }

    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let log: PeerLog

    /// Lends a running one to `body`.
    /// - Parameter greeting: What it sends to each client at once.
    static func with(greeting: [UInt8] = [], _ body: (RawPeer) async throws -> Void) async throws {
        let peer = try await RawPeer(greeting)
        let result: Result<Void, any Error>
        do { result = .success(try await body(peer)) } catch { result = .failure(error) }
        try await peer.channel.close()
        try await peer.group.shutdownGracefully()
        try result.get()
    }

    private init(_ greeting: [UInt8]) async throws {
        let log = PeerLog()
        self.log = log
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NotingHandler(log, greeting))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// The first connection, when it has ended.
    func ended() async throws -> Seen {
        for _ in 0..<1000 {
            if let first = log.seen.first, first.isEnded { return first }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw StillOpen()
    }

    struct StillOpen: Error {}
}

/// What a peer has seen.
private final class PeerLog: Sendable {
    private let mutex = Mutex<[RawPeer.Seen]>([])

    var seen: [RawPeer.Seen] { mutex.withLock { $0 } }

    func begin() -> Int {
        mutex.withLock { seen in
            seen.append(RawPeer.Seen())
            return seen.count - 1
        }
    }

    func change(_ index: Int, _ change: (inout RawPeer.Seen) -> Void) { mutex.withLock { change(&$0[index]) } }
}

private final class NotingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: PeerLog
    private let index: Int
    private let greeting: [UInt8]

    init(_ log: PeerLog, _ greeting: [UInt8]) {
        self.log = log
        self.greeting = greeting
        index = log.begin()
    }

    func channelActive(context: ChannelHandlerContext) {
        guard !greeting.isEmpty else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: greeting)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let octets = unwrapInboundIn(data)
        log.change(index) {
            $0.octets += octets.readableBytesView
            $0.arrivals.append(.now)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, error.errnoCode == ECONNRESET { log.change(index) { $0.isReset = true } }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        log.change(index) { $0.isEnded = true }
    }
}
