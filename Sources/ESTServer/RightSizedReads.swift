import NIOCore

/// Copies what TLS decrypted into buffers of its size. TLS reads into a buffer as large as its largest record, and
/// whoever keeps a slice of it keeps all of it: on thousands of quiet connections that would be most of their memory.
final class RightSizedReads: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let read = unwrapInboundIn(data)
        var copy = context.channel.allocator.buffer(capacity: read.readableBytes)
        copy.writeImmutableBuffer(read)
        context.fireChannelRead(wrapInboundOut(copy))
    }
}
