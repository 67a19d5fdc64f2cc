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
        while let answer = answers.next() {
            answered += 1
            onAnswer(answer.status)
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
                    try pipeline.addHandler(server.handler(connection.context, serverName: endpoint.serverName))
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
