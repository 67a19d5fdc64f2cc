import NIOCore

/// Lets octets trickle in both directions, each piece as late as a slow link would bring it. It stands below TLS.
final class SlowLinkHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Pieces of a second's octets.
    private static let piecesPerSecond = 20

    private let link: SlowLink
    private let piece: Int
    /// When each direction has brought all that it was given.
    private var outboundFree = NIODeadline.uptimeNanoseconds(0)
    private var inboundFree = NIODeadline.uptimeNanoseconds(0)
    private var isGone = false

    init(_ link: SlowLink) {
        self.link = link
        piece = max(link.octetsPerSecond / Self.piecesPerSecond, 1)
    }

    func handlerRemoved(context: ChannelHandlerContext) { isGone = true }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        trickle(unwrapOutboundIn(data), free: &outboundFree, on: context.eventLoop) { part, isLast in
            guard !self.isGone else { return promise?.fail(ChannelError.ioOnClosedChannel) ?? () }
            context.writeAndFlush(self.wrapOutboundOut(part), promise: isLast ? promise : nil)
        }
    }

    /// Each piece is flushed when its time comes.
    func flush(context: ChannelHandlerContext) {}

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        trickle(unwrapInboundIn(data), free: &inboundFree, on: context.eventLoop) { part, _ in
            guard !self.isGone else { return }
            context.fireChannelRead(self.wrapInboundOut(part))
            context.fireChannelReadComplete()
        }
    }

    /// What is on its way still arrives.
    func channelInactive(context: ChannelHandlerContext) {
        guard inboundFree > .now() else { return context.fireChannelInactive() }
        context.eventLoop.assumeIsolated().scheduleTask(deadline: inboundFree + .milliseconds(1)) {
            guard !self.isGone else { return }
            context.fireChannelInactive()
        }
    }

    private func trickle(
        _ octets: ByteBuffer,
        free: inout NIODeadline,
        on loop: any EventLoop,
        _ bring: @escaping (_ part: ByteBuffer, _ isLast: Bool) -> Void
    ) {
        var octets = octets
        free = max(free, .now() + .milliseconds(Int64(link.latencyMilliseconds)))
        repeat {
            guard let part = octets.readSlice(length: min(piece, octets.readableBytes)) else { return }
            free = free + .nanoseconds(Int64(part.readableBytes) * 1_000_000_000 / Int64(link.octetsPerSecond))
            let isLast = octets.readableBytes == 0
            loop.assumeIsolated().scheduleTask(deadline: free) { bring(part, isLast) }
        } while octets.readableBytes > 0
    }
}
