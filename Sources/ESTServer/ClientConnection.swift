import Enrollment
import NIOCore
import NIOSSL
import SwiftASN1
import Synchronization
import X509

/// What one TLS connection knows of its client: the address, and the chain that the client proved to hold. Nothing is
/// judged here: that happens at each request, against the anchors of that moment (TLS-10, TLS-12).
final class ClientConnection: Sendable {
    private enum State {
        case anonymous
        case unparsed([NIOSSLCertificate])
        case parsed(PresentedChain)
        case unreadable
    }

    /// The peer's address without its port.
    let source: String
    private let intermediates: ParsedIntermediates
    private let state = Mutex(State.anonymous)

    init(source: String, intermediates: ParsedIntermediates) {
        self.source = source
        self.intermediates = intermediates
    }

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
                guard let chain = parse(certificates) else {
                    state = .unreadable
                    return .unreadable
                }
                state = .parsed(chain)
                return .chain(chain)
            }
        }
    }

    private func parse(_ certificates: [NIOSSLCertificate]) -> PresentedChain? {
        guard let leafDER = try? certificates.first?.toDERBytes(),
            let leaf = try? Certificate(derEncoded: leafDER)
        else { return nil }
        // An intermediate that cannot be parsed cannot help to build a path; the leaf may do without it.
        let intermediates = certificates.dropFirst().compactMap { certificate in
            (try? certificate.toDERBytes()).flatMap { self.intermediates.certificate($0) }
        }
        return PresentedChain(leaf: leaf, leafDER: leafDER, intermediates: intermediates)
    }
}

/// Intermediates as they were parsed: all devices of a product line show the same one.
final class ParsedIntermediates: Sendable {
    /// The most that are kept. Strangers can send any, so when it is full it begins anew.
    private static let countMax = 64

    private let known = Mutex<[[UInt8]: Certificate]>([:])

    /// The certificate of that DER; nil if it is none.
    func certificate(_ der: [UInt8]) -> Certificate? {
        if let certificate = known.withLock({ $0[der] }) { return certificate }
        guard let certificate = try? Certificate(derEncoded: der) else { return nil }
        known.withLock { known in
            if known.count >= Self.countMax { known = [:] }
            known[der] = certificate
        }
        return certificate
    }
}
