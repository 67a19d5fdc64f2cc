import NIOCore
import NIOPosix
import NIOSSL

/// A connection that stays open, and asks one question at a time.
final class KeptConnection: ChannelInboundHandler, @unchecked Sendable {
    // Unchecked: what varies is touched on the channel's event loop alone.
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long an answer may take.
    private static let timeout: TimeAmount = .seconds(60)

    private let channel: any Channel
    private var answers = AnswerReader()
    private var asked: (answer: EventLoopPromise<AnswerReader.Answer>, timeout: Scheduled<Void>)?

    private init(_ channel: any Channel) { self.channel = channel }

    /// - Parameter tls: Nil for plain HTTP.
    static func open(
        to endpoint: LoopbackEndpoint,
        tls: NIOSSLContext?,
        on loop: any EventLoop
    ) async throws -> KeptConnection {
        try await ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(to: endpoint.address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = KeptConnection(channel)
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: endpoint.serverName))
                    }
                    try pipeline.addHandler(connection)
                    return connection
                }
            }
    }

    /// Sends a whole HTTP request, once the answer to the one before is there.
    func ask(_ request: ByteBuffer) -> EventLoopFuture<AnswerReader.Answer> {
        let answer = channel.eventLoop.makePromise(of: AnswerReader.Answer.self)
        if channel.eventLoop.inEventLoop {
            send(request, answer)
        } else {
            channel.eventLoop.execute { self.send(request, answer) }
        }
        return answer.futureResult
    }

    func close() async { try? await channel.close() }

    private func send(_ request: ByteBuffer, _ answer: EventLoopPromise<AnswerReader.Answer>) {
        guard asked == nil, channel.isActive else { return answer.fail(HTTPFailure.closedEarly) }
        let timeout = channel.eventLoop.scheduleTask(in: Self.timeout) {
            self.end(HTTPFailure.timeout)
            self.channel.close(promise: nil)
        }
        asked = (answer, timeout)
        channel.writeAndFlush(request, promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        answers.take(unwrapInboundIn(data))
        guard let answer = answers.next(), let asked else { return }
        self.asked = nil
        asked.timeout.cancel()
        asked.answer.succeed(answer)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(HTTPFailure.closedEarly)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(error)
        context.close(promise: nil)
    }

    private func end(_ error: any Error) {
        asked?.timeout.cancel()
        asked?.answer.fail(error)
        asked = nil
    }
}
