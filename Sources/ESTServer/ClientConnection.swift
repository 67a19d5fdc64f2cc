import Enrollment
import NIOCore
import PKI
import SwiftASN1
import Synchronization
import X509

/// What one TLS connection knows of its client: the address, and the chain that the client proved to hold. Nothing is
/// judged here: that happens at each request, against the anchors of that moment (TLS-10, TLS-12).
final class ClientConnection: Sendable {
    private enum State {
        case anonymous
        /// DER, leaf first.
        case unparsed([[UInt8]])
        case parsed(PresentedChain, leafDER: [UInt8])
        /// It asks for nothing at the moment: what can be parsed anew is not kept.
        case resting(leafDER: [UInt8], intermediates: [Certificate])
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

    /// Takes the chain that the client proved to hold: DER, leaf first.
    func present(_ chain: [[UInt8]]) {
        guard !chain.isEmpty else { return }
        state.withLock { $0 = .unparsed(chain) }
    }

    /// What the client presented, parsed in memory-safe code once for as long as it goes on asking.
    var client: PresentedClient {
        state.withLock { state in
            switch state {
            case .anonymous: return .anonymous
            case .parsed(let chain, leafDER: _): return .chain(chain)
            case .unreadable: return .unreadable
            case .unparsed(let chain):
                // An intermediate that cannot be parsed cannot help to build a path; the leaf may do without it.
                let intermediates = chain.dropFirst().compactMap { self.intermediates.certificate($0) }
                return Self.parse(chain[0], intermediates, &state)
            case .resting(let leafDER, let intermediates): return Self.parse(leafDER, intermediates, &state)
            }
        }
    }

    /// Lets go of what was parsed, until the client asks again.
    func rest() {
        state.withLock { state in
            guard case .parsed(let chain, let leafDER) = state else { return }
            state = .resting(leafDER: leafDER, intermediates: chain.intermediates)
        }
    }

    private static func parse(
        _ leafDER: [UInt8],
        _ intermediates: [Certificate],
        _ state: inout State
    ) -> PresentedClient {
        // BoringSSL may read a certificate that the stricter parser refuses.
        guard let leaf = try? Certificate(derEncoded: leafDER) else {
            state = .unreadable
            return .unreadable
        }
        let chain = PresentedChain(leaf: leaf, leafDER: leafDER, intermediates: intermediates)
        state = .parsed(chain, leafDER: leafDER)
        return .chain(chain)
    }
}

/// Intermediates as they were parsed: all devices of a product line show the same one.
final class ParsedIntermediates: Sendable {
    /// The most that are kept. Strangers can send any, so when it is full it begins anew.
    private static let countMax = 64

    private let known = Mutex<[OctetKey: Certificate]>([:])

    /// The certificate of that DER; nil if it is none.
    func certificate(_ der: [UInt8]) -> Certificate? {
        let key = OctetKey(der)
        if let certificate = known.withLock({ $0[key] }) { return certificate }
        guard let certificate = try? Certificate(derEncoded: der) else { return nil }
        known.withLock { known in
            if known.count >= Self.countMax { known = [:] }
            known[key] = certificate
        }
        return certificate
    }
}
