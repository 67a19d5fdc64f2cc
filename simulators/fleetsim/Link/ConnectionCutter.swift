import Glibc
import NIOCore

/// Cuts a connection by a TCP reset at its moment. It stands below TLS, next to the socket, where octets are counted as
/// they are on the wire.
final class ConnectionCutter: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let moment: CutMoment
    private let onCut: () -> Void
    private var sent = 0
    private var received = 0
    /// True from the moment on at which nothing passes any more.
    private var isOver = false
    private var context: ChannelHandlerContext?

    /// - Parameter onCut: Told right before the connection closes.
    init(_ moment: CutMoment, onCut: @escaping () -> Void) {
        self.moment = moment
        self.onCut = onCut
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        guard moment != .sent(octets: 0) else { return reset(context) }
        context.fireChannelActive()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isOver else { return promise?.fail(ChannelError.ioOnClosedChannel) ?? () }
        var octets = unwrapOutboundIn(data)
        guard case .sent(let limit) = moment, sent + octets.readableBytes >= limit else {
            sent += octets.readableBytes
            return context.write(data, promise: promise)
        }
        isOver = true
        // The rest is dropped, as a device drops it that is gone.
        let last = octets.readSlice(length: limit - sent) ?? ByteBuffer()
        promise?.fail(ChannelError.ioOnClosedChannel)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.reset(context) }
        context.writeAndFlush(wrapOutboundOut(last), promise: written)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        var octets = unwrapInboundIn(data)
        guard case .received(let limit) = moment, received + octets.readableBytes >= limit else {
            received += octets.readableBytes
            return context.fireChannelRead(data)
        }
        isOver = true
        if let last = octets.readSlice(length: limit - received), last.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(last))
            context.fireChannelReadComplete()
        }
        reset(context)
    }

    /// Called when the last octet of the request is written.
    func requestIsSent() {
        guard case .requestSent(let delay) = moment, !isOver, let context else { return }
        isOver = true
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(delay))) { self.reset(context) }
    }

    private func reset(_ context: ChannelHandlerContext) {
        isOver = true
        // Closing a socket that lingers for no time sends a reset instead of an end (socket(7), SO_LINGER). Set first, since
        // whoever is told may close the connection.
        if let socket = context.channel as? any SocketOptionProvider {
            _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        onCut()
        context.close(promise: nil)
    }
}
