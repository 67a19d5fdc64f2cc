import NIOCore
import NIOPosix
import NIOSSL

/// One connection of a measurement: sends each request when the answer to the one before is there, and tells of each.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What became of a request: its status, or nil if there was no answer.
    typealias OnAnswer = (_ status: Int?) -> Void

    private let requests: [ByteBuffer]
    private let onAnswer: OnAnswer
    private let onEnd: () -> Void
    private var sent = 0
    private var answered = 0
    private var answers = AnswerReader()

    /// - Parameters:
    ///   - onAnswer: Told once of each request.
    ///   - onEnd: Told once that the connection is closed.
    init(_ requests: [ByteBuffer], onAnswer: @escaping OnAnswer, onEnd: @escaping () -> Void) {
        self.requests = requests
        self.onAnswer = onAnswer
        self.onEnd = onEnd
    }

    func channelActive(context: ChannelHandlerContext) {
        sendNext(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        answers.take(unwrapInboundIn(data))
        while let status = answers.next() {
            answered += 1
            onAnswer(status)
            if sent < requests.count { sendNext(context) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        for _ in answered..<requests.count { onAnswer(nil) }
        onEnd()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func sendNext(_ context: ChannelHandlerContext) {
        let request = requests[sent]
        sent += 1
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    /// Connects on `loop`. A connection that cannot be made counts as one without answers.
    static func open(
        _ connection: BenchFleet.Connection,
        context: NIOSSLContext,
        endpoint: LoopbackEndpoint,
        server: VerifiedServer,
        on loop: any EventLoop,
        onAnswer: @escaping OnAnswer,
        onEnd: @escaping () -> Void
    ) -> EventLoopFuture<any Channel> {
        let handler = NIOLoopBound(
            LoadConnection(connection.requests, onAnswer: onAnswer, onEnd: onEnd),
            eventLoop: loop
        )
        let opened = ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(server.handler(context, serverName: endpoint.serverName))
                    try pipeline.addHandler(ServerSeen(server))
                    try pipeline.addHandler(handler.value)
                }
            }
            .connect(to: endpoint.address)
        opened.assumeIsolated().whenFailure { _ in
            for _ in connection.requests { onAnswer(nil) }
            onEnd()
        }
        return opened
    }
}

/// Remembers the server's certificate once TLS has verified it.
private final class ServerSeen: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let server: VerifiedServer

    init(_ server: VerifiedServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        server.succeeded(context)
        context.fireChannelRead(data)
    }
}

/// Finds the ends of answers. The server is ours and each answer has a Content-Length, so this is all that it takes, and
/// it leaves the core to the handshakes.
struct AnswerReader {
    private var pending: [UInt8] = []

    mutating func take(_ bytes: ByteBuffer) { pending.append(contentsOf: bytes.readableBytesView) }

    /// The status of the next whole answer.
    mutating func next() -> Int? {
        let blank = Array("\r\n\r\n".utf8)
        guard let head = pending.firstRange(of: blank) else { return nil }
        let lines = String(decoding: pending[..<head.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let length = lines.lazy.compactMap { line -> Int? in
            let field = line.split(separator: ":", maxSplits: 1)
            guard field.count == 2, field[0].lowercased() == "content-length" else { return nil }
            return Int(field[1].drop { $0 == " " })
        }.first
        let end = head.upperBound + (length ?? 0)
        guard pending.count >= end else { return nil }
        pending.removeFirst(end)
        return lines.first.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { Int($0) }
    }
}
