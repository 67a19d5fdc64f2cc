import NIOCore
import NIOSSL
import Synchronization

/// The server certificate that TLS has verified in full: chain up to the device's root, validity, and name. Each device
/// would come to the same verdict about the same octets, and the CPU that this takes is the server's too on a machine
/// that runs both. A certificate that differs by one octet is verified in full again.
final class VerifiedServer: Sendable {
    private let certificate = Mutex<[UInt8]?>(nil)

    /// The TLS handler of one connection.
    func handler(_ context: NIOSSLContext, serverName: String?) throws -> NIOSSLClientHandler {
        guard let known = certificate.withLock({ $0 }) else {
            return try NIOSSLClientHandler(context: context, serverHostname: serverName)
        }
        // Signature and hostname are checked by TLS all the same; only the chain is not built anew.
        return try NIOSSLClientHandler(context: context, serverHostname: serverName) { [self] chain, verdict in
            if let first = chain.first, (try? first.toDERBytes()) == known {
                verdict.succeed(.certificateVerified)
            } else {
                certificate.withLock { $0 = nil }
                verdict.succeed(.failed)
            }
        }
    }

    /// Called when a handshake has succeeded.
    func succeeded(_ context: ChannelHandlerContext) {
        guard certificate.withLock({ $0 == nil }),
            let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self),
            let der = try? handler.peerCertificate?.toDERBytes()
        else { return }
        certificate.withLock { $0 = der }
    }
}
