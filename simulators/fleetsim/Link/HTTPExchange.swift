import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One request of a device.
struct HTTPQuestion: Sendable {
    let method: HTTPMethod
    let path: String
    let fields: [(String, String)]
    let body: [UInt8]
}

/// The answer to it, with what it took.
struct HTTPAnswer: Sendable {
    let status: Int
    let fields: HTTPHeaders
    let body: [UInt8]
    /// When the request was on the wire.
    let asked: ContinuousClock.Instant
    /// TCP and TLS handshake, until then.
    let connecting: Duration
    /// From there to the end of the answer.
    let answering: Duration
}

/// Why there was no answer.
enum HTTPFailure: Error, CustomStringConvertible {
    case timeout
    case closedEarly
    case answerTooLarge
    /// By the device's own end, as it was to be.
    case cut(CutMoment)

    var description: String {
        switch self {
        case .timeout: "no answer in time"
        case .closedEarly: "closed before the answer was complete"
        case .answerTooLarge: "the answer is too large"
        case .cut(.sent), .cut(.received): "the connection was reset"
        case .cut(.requestSent), .cut(.answerHeard): "the answer was lost"
        }
    }
}

/// HTTP/1.1 as a small device speaks it: a TCP connection and a full TLS handshake for one request, no pool, no
/// resumption.
struct HTTPExchange: Sendable {
    /// The most octets of an answer's body.
    static let answerOctetsMax = 256 * 1024
    /// How long one exchange may take, from the first packet to the last.
    static let timeout: TimeAmount = .seconds(30)

    let group: any EventLoopGroup
    let endpoint: LoopbackEndpoint
    let server = VerifiedServer()

    func ask(
        _ question: HTTPQuestion,
        tls: NIOSSLContext,
        conditions: ConnectionConditions = ConnectionConditions()
    ) async throws -> HTTPAnswer {
        let loop = group.next()
        let promise = loop.makePromise(of: HTTPAnswer.self)
        let timeout = loop.scheduleTask(in: Self.timeout) { promise.fail(HTTPFailure.timeout) }
        let began = ContinuousClock.now
        let endpoint = endpoint
        let server = server
        ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                // However the exchange ends, also by cancellation, the connection ends with it.
                promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    let cutter = conditions.cut.map { moment in
                        ConnectionCutter(moment) { promise.fail(HTTPFailure.cut(moment)) }
                    }
                    if let cutter { try pipeline.addHandler(cutter) }
                    if let link = conditions.link { try pipeline.addHandler(SlowLinkHandler(link)) }
                    try pipeline.addHandler(
                        conditions.clock.map { clock in
                            // A device with a wrong clock comes to a verdict of its own.
                            try NIOSSLClientHandler(context: tls, serverHostname: endpoint.serverName) {
                                chain,
                                verdict in
                                verdict.succeed(clock.accepts(chain, of: endpoint) ? .certificateVerified : .failed)
                            }
                        } ?? server.handler(tls, serverName: endpoint.serverName)
                    )
                    try pipeline.addHandler(WholeRequestEncoder())
                    try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder()))
                    let handler = ExchangeHandler(question, host: endpoint.hostField, began, promise)
                    handler.onRequestSent = { context in
                        if conditions.clock == nil { server.succeeded(context) }
                        cutter?.requestIsSent()
                    }
                    try pipeline.addHandler(handler)
                }
            }
            .connect(to: endpoint.address)
            .whenFailure { promise.fail($0) }
        return try await withTaskCancellationHandler {
            defer { timeout.cancel() }
            return try await promise.futureResult.get()
        } onCancel: {
            promise.fail(CancellationError())
        }
    }
}

/// Writes head and body of a request as one buffer, which TLS sends as one record.
final class WholeRequestEncoder: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = ByteBuffer

    private var request = ByteBuffer()

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            request.writeString("\(head.method.rawValue) \(head.uri) HTTP/1.1\r\n")
            for (name, value) in head.headers { request.writeString("\(name): \(value)\r\n") }
            request.writeString("\r\n")
            promise?.succeed()
        case .body(.byteBuffer(var body)):
            request.writeBuffer(&body)
            promise?.succeed()
        case .body(.fileRegion):
            promise?.fail(ChannelError.operationUnsupported)
        case .end:
            context.write(wrapOutboundOut(request), promise: promise)
        }
    }
}

/// Asks when connected, and gathers the answer.
final class ExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let question: HTTPQuestion
    private let host: String
    private let began: ContinuousClock.Instant
    private let promise: EventLoopPromise<HTTPAnswer>
    /// Called when the request is on the wire, and so the handshake is done.
    var onRequestSent: (ChannelHandlerContext) -> Void = { _ in }
    private var asked: ContinuousClock.Instant?
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    init(
        _ question: HTTPQuestion,
        host: String,
        _ began: ContinuousClock.Instant,
        _ promise: EventLoopPromise<HTTPAnswer>
    ) {
        self.question = question
        self.host = host
        self.began = began
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        var fields = HTTPHeaders([("Host", host), ("Connection", "close")] + question.fields)
        if !question.body.isEmpty { fields.add(name: "Content-Length", value: "\(question.body.count)") }
        let head = HTTPRequestHead(version: .http1_1, method: question.method, uri: question.path, headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !question.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: question.body)))), promise: nil)
        }
        // TLS holds the request back until the handshake is done: when it is on the wire, the handshake is over.
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess {
            self.asked = .now
            self.onRequestSent(context)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
        case .body(let part):
            guard body.count + part.readableBytes <= HTTPExchange.answerOctetsMax else {
                promise.fail(HTTPFailure.answerTooLarge)
                return
            }
            body.append(contentsOf: part.readableBytesView)
        case .end:
            finish()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(HTTPFailure.closedEarly)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
    }

    private func finish() {
        guard let head else { return promise.fail(HTTPFailure.closedEarly) }
        // Interim answers (1xx) come before the real one.
        guard head.status.code >= 200 else { return }
        let now = ContinuousClock.now
        let asked = asked ?? now
        promise.succeed(
            HTTPAnswer(
                status: Int(head.status.code),
                fields: head.headers,
                body: body,
                asked: asked,
                connecting: asked - began,
                answering: now - asked
            )
        )
    }
}
