import EST
import Enrollment
import FrontBounds
import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS

/// The requests of one connection, one after the other: gathers each within bounds of size and time, has it answered,
/// and writes the answer.
final class ESTExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    struct Bounds: Sendable {
        let bodyOctetsMax: Int
        let bodyTimeout: TimeAmount
        /// A connection is closed that does not bring the head of a request to its end for so long.
        let idleTimeout: TimeAmount
        /// A connection that asks for nothing for so long keeps no parsed certificates.
        var restTimeout = TimeAmount.seconds(1)
        /// After an answer that ends the connection early, what the client still sends is read so far, that it has a
        /// chance to see the answer.
        var lingerOctetsMax = 256 * 1024
        var lingerTimeout = TimeAmount.seconds(2)
    }

    private enum State {
        /// Between requests.
        case idle
        case gathering(HTTPRequestHead, ByteBuffer)
        /// The request is on its way; true if the connection ends with its answer.
        case answering(HTTPRequestHead, isWhole: Bool)
        /// Answered for the last time; so many octets came since.
        case lingering(octets: Int)
    }

    private let bounds: Bounds
    private let connection: ClientConnection
    private let responder: ESTResponder
    private let ledger: ConnectionLedger
    private let observer: any FrontObserver
    private let executor: LoopExecutor
    private let deadline: ConnectionDeadline
    private let date: DateField
    private let gate: FlightGate
    private var state = State.idle
    /// Octets of a body that came after it was refused, before the answer.
    private var unwanted = 0
    /// True once the client has said that it sends no more.
    private var isInputOver = false

    init(
        bounds: Bounds,
        connection: ClientConnection,
        responder: ESTResponder,
        ledger: ConnectionLedger,
        observer: any FrontObserver,
        executor: LoopExecutor,
        deadline: ConnectionDeadline,
        date: DateField,
        gate: FlightGate
    ) {
        self.bounds = bounds
        self.connection = connection
        self.responder = responder
        self.ledger = ledger
        self.observer = observer
        self.executor = executor
        self.deadline = deadline
        self.date = date
        self.gate = gate
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let part): take(part, context)
        case .end:
            if case .gathering(let head, let body) = state {
                answer(head, .bytes(Array(body.readableBytesView)), isWhole: true, context)
            } else if case .lingering = state {
                context.close(promise: nil)
            }
        }
    }

    /// Who says goodbye with a request on its way still waits for the answer (RFC 8446 section 6.1: each direction ends
    /// by itself).
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted: waitForRequest(context)
        case ChannelEvent.inputClosed:
            isInputOver = true
            guard case .answering(_, isWhole: true) = state else { return context.close(promise: nil) }
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// What is no HTTP, or too much of it, gets one answer and the connection ends.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch (state, error) {
        case (.idle, let error as HTTPParserError), (.gathering, let error as HTTPParserError):
            let isTooLarge = error == .headerOverflow
            if isTooLarge { observer.reached(.header) }
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "")
            let text = isTooLarge ? "the request's header fields are too large" : "this is not HTTP/1.1"
            let request = ESTRequest(head: head, body: .tooLarge, connection: connection)
            let status: ESTStatus = isTooLarge ? .headerTooLarge : .badRequest
            var answer = ESTAnswer.problem(status, text, to: request)
            answer.closes = true
            state = .answering(head, isWhole: false)
            write(answer, context)
        default: context.close(promise: nil)
        }
    }

    // MARK: - A request

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard case .idle = state else { return context.close(promise: nil) }
        state = .gathering(head, ByteBuffer())
        let declared = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        if declared > bounds.bodyOctetsMax { return refuseBody(head, context) }
        arm(bounds.bodyTimeout, context) { exchange, context in exchange.bodyIsLate(context) }
        // A client that asks whether it may send its body waits for this line (RFC 9110 section 10.1.1).
        if head.version == .http1_1, head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            let proceed = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(proceed)), promise: nil)
        }
    }

    private func take(_ part: ByteBuffer, _ context: ChannelHandlerContext) {
        switch state {
        case .gathering(let head, var body):
            guard body.readableBytes + part.readableBytes <= bounds.bodyOctetsMax else {
                return refuseBody(head, context)
            }
            // Not copied while it grows.
            state = .idle
            var part = part
            body.writeBuffer(&part)
            state = .gathering(head, body)
        case .lingering(let octets):
            let octets = octets + part.readableBytes
            state = .lingering(octets: octets)
            if octets > bounds.lingerOctetsMax { cut(context) }
        case .answering(_, isWhole: false):
            unwanted += part.readableBytes
            if unwanted > bounds.lingerOctetsMax { cut(context) }
        case .idle, .answering: break
        }
    }

    /// Ends the connection below TLS, which would go on reading until the client says goodbye.
    private func cut(_ context: ChannelHandlerContext) {
        guard let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) else {
            return context.close(promise: nil)
        }
        tls.close(promise: nil)
    }

    private func refuseBody(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        observer.reached(.body)
        answer(head, .tooLarge, isWhole: false, context)
    }

    private func bodyIsLate(_ context: ChannelHandlerContext) {
        guard case .gathering(let head, _) = state else { return }
        observer.reached(.bodyTime)
        state = .answering(head, isWhole: false)
        let request = ESTRequest(head: head, body: .tooLarge, connection: connection)
        write(ESTAnswer.problem(.requestTimeout, "the body took too long", to: request), context)
    }

    private func answer(
        _ head: HTTPRequestHead,
        _ body: ESTRequest.Body,
        isWhole: Bool,
        _ context: ChannelHandlerContext
    ) {
        deadline.clear()
        state = .answering(head, isWhole: isWhole)
        let request = ESTRequest(head: head, body: body, connection: connection)
        switch responder.plan(request) {
        case .answer(let answer): write(answer, context)
        case .enroll(let operation, let fleet):
            guard ledger.requestBegan() else {
                return write(ESTAnswer.unavailable("too many devices at once; try again", to: request), context)
            }
            let exchange = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            // A task of its own, since a channel's handler is no task. It ends with the answer, and the connection, on
            // which the front waits when it stops, does not end before it but by the client's wish.
            Task(executorPreference: executor) { [responder, ledger] in
                let answer = await responder.enroll(operation, in: fleet, request)
                ledger.requestEnded()
                exchange.eventLoop.execute {
                    let (own, context) = exchange.value
                    guard context.channel.isActive else { return }
                    own.write(answer, context)
                }
            }
        }
    }

    // MARK: - An answer

    private func write(_ answer: ESTResponse, _ context: ChannelHandlerContext) {
        guard case .answering(let head, let isWhole) = state else { return }
        deadline.clear()
        // With the goodbye, if it is the last answer.
        gate.hold()
        defer { gate.open() }
        let closes = answer.closes || !isWhole || isInputOver || !head.isKeepAlive
        var fields = HTTPHeaders(answer.fields)
        // RFC 9110 section 8.6: none with 204.
        if answer.status != .noContent { fields.add(name: "Content-Length", value: "\(answer.body.count)") }
        fields.add(name: "Date", value: date.text())
        if closes {
            fields.add(name: "Connection", value: "close")
        } else if head.version == .http1_0 {
            fields.add(name: "Connection", value: "keep-alive")
        }
        let status = HTTPResponseStatus(statusCode: answer.status.rawValue, reasonPhrase: answer.status.reasonPhrase)
        let answerHead = HTTPResponseHead(version: .http1_1, status: status, headers: fields)
        context.write(wrapOutboundOut(.head(answerHead)), promise: nil)
        // RFC 9110 section 9.3.2: HEAD is told the length and gets no body.
        if !answer.body.isEmpty, head.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
        }
        state = closes ? .lingering(octets: 0) : .idle
        if !closes { waitForRequest(context) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        guard closes else { return }
        // From here on the client's goodbye ends both directions: TLS would otherwise hold the connection, with all its
        // memory, until the time for its own goodbye is over.
        try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        if isWhole || isInputOver {
            context.close(promise: nil)
        } else {
            arm(bounds.lingerTimeout, context) { exchange, context in exchange.cut(context) }
        }
    }

    // MARK: - Time

    private func waitForRequest(_ context: ChannelHandlerContext) {
        guard bounds.restTimeout < bounds.idleTimeout else { return waitIdly(bounds.idleTimeout, context) }
        arm(bounds.restTimeout, context) { exchange, context in
            exchange.connection.rest()
            exchange.waitIdly(exchange.bounds.idleTimeout - exchange.bounds.restTimeout, context)
        }
    }

    private func waitIdly(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        arm(time, context) { exchange, context in
            exchange.observer.reached(.idleTime)
            context.close(promise: nil)
        }
    }

    private func arm(
        _ time: TimeAmount,
        _ context: ChannelHandlerContext,
        _ act: @escaping (ESTExchange, ChannelHandlerContext) -> Void
    ) {
        deadline.set(in: time) { [weak self] in
            guard let self else { return }
            act(self, context)
        }
    }
}
