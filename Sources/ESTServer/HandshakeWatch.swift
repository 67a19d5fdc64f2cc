import NIOCore
import NIOSSL
import NIOTLS

/// Closes a connection whose handshake takes too long (TLS-13), tells how each ended, and notes the certificate of a
/// resumed session, for which no verification is asked (EST-05).
final class HandshakeWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: ClientConnection
    private let timeout: TimeAmount
    private let observer: any FrontObserver
    private let onEnd: () -> Void
    private var deadline: Scheduled<Void>?
    private var isOver = false

    /// - Parameter onEnd: Called once, however the handshake ended.
    init(
        connection: ClientConnection,
        timeout: TimeAmount,
        observer: any FrontObserver,
        onEnd: @escaping () -> Void
    ) {
        self.connection = connection
        self.timeout = timeout
        self.observer = observer
        self.onEnd = onEnd
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let watch = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: timeout) {
            let (own, context) = watch.value
            own.observer.reached(.handshakeTime)
            own.end(.timeout)
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            end(.completed)
            if connection.isAnonymous,
                let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self),
                let certificate = handler.peerCertificate
            {
                connection.present([certificate])
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failed)
        context.fireChannelInactive()
    }

    /// Tells once how it ended.
    private func end(_ result: HandshakeResult) {
        deadline?.cancel()
        deadline = nil
        guard !isOver else { return }
        isOver = true
        observer.ended(result)
        onEnd()
    }
}
