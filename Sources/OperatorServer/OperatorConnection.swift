import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import SwiftASN1
import Synchronization
import X509

/// What one connection knows of its client: the address, and the certificate whose key it proved to hold and whose
/// chain leads to the operators' CA. Who that is and whether it still may, each request asks anew.
final class OperatorConnection: Sendable {
    /// The connection that the present task serves.
    @TaskLocal static var current: OperatorConnection?

    /// The certificate that was presented.
    struct Presented: Sendable {
        /// SHA-256 of its DER.
        let sha256: [UInt8]
        /// When it is valid; nil if it cannot be read.
        let validity: ClosedRange<Date>?
    }

    /// The peer's address without its port.
    let source: String
    private let leaf = Mutex<Presented?>(nil)

    init(source: String) { self.source = source }

    /// The client's certificate; nil if none was presented.
    var certificate: Presented? { leaf.withLock { $0 } }

    /// Reads a certificate once for all requests of the connection.
    /// - Parameter der: As it came.
    func present(_ der: [UInt8]) {
        let certificate = try? Certificate(derEncoded: der)
        let validity = certificate.flatMap { read in
            read.notValidBefore <= read.notValidAfter ? read.notValidBefore...read.notValidAfter : nil
        }
        leaf.withLock { $0 = Presented(sha256: [UInt8](SHA256.hash(data: der)), validity: validity) }
    }
}

/// A connection of the operator front: TLS with the context of this moment, then HTTP/1.1.
struct OperatorChildChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let http: HTTP1Channel.Value
        let connection: OperatorConnection
        var channel: any Channel { http.channel }
    }

    let tls: OperatorTLS
    let http: HTTP1Channel
    let handshakeTimeout: TimeAmount
    let onHandshake: @Sendable (_ completed: Bool) -> Void

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let connection = OperatorConnection(source: channel.remoteAddress?.ipAddress ?? "unknown")
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers([
                NIOSSLServerHandler(context: tls.context),
                OperatorHandshake(connection: connection, timeout: handshakeTimeout, onEnd: onHandshake),
            ])
        }.flatMap {
            http.setup(channel: channel, logger: logger)
        }.map {
            Value(http: $0, connection: connection)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await OperatorConnection.$current.withValue(value.connection) {
            await http.handle(value: value.http, logger: logger)
        }
    }
}

/// Closes a connection whose handshake takes too long, and notes the client's certificate at its end, also that of a
/// resumed session.
private final class OperatorHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: OperatorConnection
    private let timeout: TimeAmount
    private let onEnd: @Sendable (Bool) -> Void
    private var deadline: Scheduled<Void>?
    private var isOver = false

    init(connection: OperatorConnection, timeout: TimeAmount, onEnd: @escaping @Sendable (Bool) -> Void) {
        self.connection = connection
        self.timeout = timeout
        self.onEnd = onEnd
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        let handshake = NIOLoopBound(self, eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: timeout) {
            handshake.value.end(completed: false)
            channel.close(promise: nil)
        }
    }

    /// Tells once how it ended.
    private func end(completed: Bool) {
        deadline?.cancel()
        deadline = nil
        guard !isOver else { return }
        isOver = true
        onEnd(completed)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            end(completed: true)
            if let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self),
                let certificate = handler.peerCertificate, let der = try? certificate.toDERBytes()
            {
                connection.present(der)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(completed: false)
        context.fireChannelInactive()
    }
}
