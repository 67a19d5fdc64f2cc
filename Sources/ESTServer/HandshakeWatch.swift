import FrontBounds
import NIOCore
import NIOSSL
import NIOTLS

/// Closes a connection whose handshake takes too long (TLS-13), tells how each ended, and notes the certificate of a
/// resumed session, for which no verification is asked (EST-05).
final class HandshakeWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: ClientConnection
    private let deadline: ConnectionDeadline
    private let timeout: TimeAmount
    private let observer: any FrontObserver
    private let onEnd: () -> Void
    private var isOver = false

    /// - Parameter onEnd: Called once, however the handshake ended.
    init(
        connection: ClientConnection,
        deadline: ConnectionDeadline,
        timeout: TimeAmount,
        observer: any FrontObserver,
        onEnd: @escaping () -> Void
    ) {
        self.connection = connection
        self.deadline = deadline
        self.timeout = timeout
        self.observer = observer
        self.onEnd = onEnd
    }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline.set(in: timeout) { [weak self] in
            self?.observer.reached(.handshakeTime)
            self?.end(.timeout)
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            end(.completed)
            if connection.isAnonymous,
                let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self),
                let leaf = try? handler.peerCertificate?.toDERBytes()
            {
                connection.present([leaf])
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
        guard !isOver else { return }
        isOver = true
        deadline.clear()
        observer.ended(result)
        onEnd()
    }
}
