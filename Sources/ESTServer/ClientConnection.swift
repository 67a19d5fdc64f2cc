import Enrollment
import NIOCore
import NIOSSL
import SwiftASN1
import Synchronization
import X509

/// What one TLS connection knows of its client: the address, and the chain that the client proved to hold. Nothing is
/// judged here: that happens at each request, against the anchors of that moment (TLS-10, TLS-12).
final class ClientConnection: Sendable {
    /// The connection that the present task serves.
    @TaskLocal static var current: ClientConnection?

    private enum State {
        case anonymous
        case unparsed([NIOSSLCertificate])
        case parsed(PresentedChain)
        case unreadable
    }

    /// The peer's address without its port.
    let source: String
    private let state = Mutex(State.anonymous)

    init(source: String) { self.source = source }

    /// True once a chain was presented.
    var isAnonymous: Bool {
        state.withLock { state in
            if case .anonymous = state { true } else { false }
        }
    }

    func present(_ certificates: [NIOSSLCertificate]) {
        guard !certificates.isEmpty else { return }
        state.withLock { $0 = .unparsed(certificates) }
    }

    /// What the client presented, parsed once a connection in memory-safe code.
    var client: PresentedClient {
        state.withLock { state in
            switch state {
            case .anonymous: return .anonymous
            case .parsed(let chain): return .chain(chain)
            case .unreadable: return .unreadable
            case .unparsed(let certificates):
                // BoringSSL may read a certificate that the stricter parser refuses.
                guard let chain = Self.parse(certificates) else {
                    state = .unreadable
                    return .unreadable
                }
                state = .parsed(chain)
                return .chain(chain)
            }
        }
    }

    private static func parse(_ certificates: [NIOSSLCertificate]) -> PresentedChain? {
        guard let leafDER = try? certificates.first?.toDERBytes(),
            let leaf = try? Certificate(derEncoded: leafDER)
        else { return nil }
        // An intermediate that cannot be parsed cannot help to build a path; the leaf may do without it.
        let intermediates = certificates.dropFirst().compactMap { certificate in
            (try? certificate.toDERBytes()).flatMap { try? Certificate(derEncoded: $0) }
        }
        return PresentedChain(leaf: leaf, leafDER: leafDER, intermediates: intermediates)
    }
}
