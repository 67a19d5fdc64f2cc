import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// How a TLS handshake ended.
package enum HandshakeResult: String, CaseIterable, Hashable, Sendable {
    case completed, failed, timeout
}

/// A connection of the device front: TLS with the context of this moment, then HTTP/1.1.
struct ESTChildChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let http: HTTP1Channel.Value
        let connection: ClientConnection
        var channel: any Channel { http.channel }
    }

    let tls: DeviceTLS
    let http: HTTP1Channel
    let handshakeTimeout: TimeAmount
    let onHandshake: @Sendable (HandshakeResult) -> Void

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let connection = ClientConnection(source: channel.remoteAddress?.ipAddress ?? "unknown")
        return channel.eventLoop.makeCompletedFuture {
            let handler = NIOSSLServerHandler(
                context: tls.context,
                configuration: .init()
            ) { certificates, promise in
                // The handshake proves that the client holds the key; who it is, the request decides.
                guard ClientChainBounds.accept(certificates) else {
                    promise.succeed(.failed)
                    return
                }
                connection.present(certificates)
                promise.succeed(.certificateVerified(VerificationMetadata(nil)))
            }
            try channel.pipeline.syncOperations.addHandlers([
                handler,
                HandshakeWatch(connection: connection, timeout: handshakeTimeout, onEnd: onHandshake),
            ])
        }.flatMap {
            http.setup(channel: channel, logger: logger)
        }.map {
            Value(http: $0, connection: connection)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await ClientConnection.$current.withValue(value.connection) {
            await http.handle(value: value.http, logger: logger)
        }
    }
}

/// Closes a connection whose handshake takes too long (TLS-13), and notes the certificate of a resumed session, for
/// which no verification is asked (EST-05).
private final class HandshakeWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: ClientConnection
    private let timeout: TimeAmount
    private let onEnd: @Sendable (HandshakeResult) -> Void
    private var deadline: Scheduled<Void>?
    private var isOver = false

    init(
        connection: ClientConnection,
        timeout: TimeAmount,
        onEnd: @escaping @Sendable (HandshakeResult) -> Void
    ) {
        self.connection = connection
        self.timeout = timeout
        self.onEnd = onEnd
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        let watch = NIOLoopBound(self, eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: timeout) {
            watch.value.end(.timeout)
            channel.close(promise: nil)
        }
    }

    /// Tells once how it ended.
    private func end(_ result: HandshakeResult) {
        deadline?.cancel()
        deadline = nil
        guard !isOver else { return }
        isOver = true
        onEnd(result)
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
}
