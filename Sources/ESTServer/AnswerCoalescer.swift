import NIOCore

/// Joins what is written until the flush, so that an answer is one TLS record and one packet where it fits.
final class AnswerCoalescer: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = ByteBuffer

    private var pending = ByteBuffer()
    private var promises: [EventLoopPromise<Void>] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .byteBuffer(var part) = unwrapOutboundIn(data) else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        if pending.readableBytes == 0 { pending = part } else { pending.writeBuffer(&part) }
        if let promise { promises.append(promise) }
    }

    func flush(context: ChannelHandlerContext) {
        guard pending.readableBytes > 0 || !promises.isEmpty else { return context.flush() }
        let waiting = promises
        promises = []
        var promise: EventLoopPromise<Void>?
        if !waiting.isEmpty {
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.whenComplete { result in for one in waiting { one.completeWith(result) } }
            promise = written
        }
        let answer = pending
        pending = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(answer), promise: promise)
    }
}
