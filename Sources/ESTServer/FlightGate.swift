import NIOCore

/// Stands between TLS and the socket, and lets records wait for others that are about to follow, so that they leave in
/// one packet: an answer with the goodbye after it. Each packet more costs a system call here, and wakes the client once
/// more. (Session tickets wait for the answer by themselves: BoringSSL sends them with the first octets of it.)
final class FlightGate: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var isHeld = false
    private var isFlushDue = false
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// From here on what TLS writes waits until `open`, which whoever calls this sees to.
    func hold() { isHeld = true }

    /// Sends what waits, and lets all else through.
    func open() {
        isHeld = false
        guard isFlushDue else { return }
        isFlushDue = false
        context?.flush()
    }

    func flush(context: ChannelHandlerContext) {
        if isHeld { isFlushDue = true } else { context.flush() }
    }

    /// An alert or a goodbye that waits is sent before the end.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        open()
        context.close(mode: mode, promise: promise)
    }
}
