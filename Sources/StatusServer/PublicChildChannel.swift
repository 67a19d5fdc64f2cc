import FrontBounds
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// A connection of the public front: HTTP/1.1 without TLS, with deadlines for what its client has to bring.
struct PublicChildChannel: ServerChildChannel {
    let http: HTTP1Channel
    let ledger: ConnectionLedger
    let loops: [ObjectIdentifier: FrontLoop]
    let idleTimeout: TimeAmount
    let bodyTimeout: TimeAmount
    let observer: any FrontObserver

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            try watch(channel)
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await http.handle(value: value, logger: logger) }

    private func watch(_ channel: any Channel) throws {
        // There is no handshake: who is let in may ask.
        ledger.handshakeEnded(ConnectionLedger.id(of: channel))
        let loop = loops[ObjectIdentifier(channel.eventLoop)] ?? FrontLoop(channel.eventLoop)
        let deadlines = loop.deadlines.value
        let deadline = ConnectionDeadline()
        deadlines.watch(deadline)
        channel.closeFuture.assumeIsolated().whenComplete { _ in deadlines.forget(deadline) }
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        try pipeline.addHandler(
            RequestDeadlines(
                deadline: deadline,
                idleTimeout: idleTimeout,
                bodyTimeout: bodyTimeout,
                observer: observer
            ),
            position: ChannelPipeline.SynchronousOperations.Position.after(decoder)
        )
    }
}

/// Closes a connection that asks for nothing, or does not bring the head of a request or its body to the end, in time. How
/// long an answer takes is the server's matter.
final class RequestDeadlines: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let deadline: ConnectionDeadline
    private let idleTimeout: TimeAmount
    private let bodyTimeout: TimeAmount
    private let observer: any FrontObserver
    /// True between a request's head and its end.
    private var isGathering = false
    /// Requests whose heads came and whose answers have not left.
    private var unanswered = 0

    init(
        deadline: ConnectionDeadline,
        idleTimeout: TimeAmount,
        bodyTimeout: TimeAmount,
        observer: any FrontObserver
    ) {
        self.deadline = deadline
        self.idleTimeout = idleTimeout
        self.bodyTimeout = bodyTimeout
        self.observer = observer
    }

    func handlerAdded(context: ChannelHandlerContext) { settle(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isGathering = true
            unanswered += 1
            close(in: bodyTimeout, for: .bodyTime, context)
        case .body: break
        case .end:
            isGathering = false
            settle(context)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            // What is no HTTP is answered without having been a request.
            unanswered = max(0, unanswered - 1)
            settle(context)
        }
        context.write(data, promise: promise)
    }

    /// What is waited for now, of a connection that is not at a body.
    private func settle(_ context: ChannelHandlerContext) {
        if isGathering { return }
        if unanswered > 0 { return deadline.clear() }
        close(in: idleTimeout, for: .idleTime, context)
    }

    private func close(in time: TimeAmount, for limit: FrontLimit, _ context: ChannelHandlerContext) {
        deadline.set(in: time) { [observer] in
            observer.reached(limit)
            context.close(promise: nil)
        }
    }
}
