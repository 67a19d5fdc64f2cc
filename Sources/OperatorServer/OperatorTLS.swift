import Foundation
import NIOCore
package import NIOSSL
package import PKI
import Synchronization

/// The TLS side of the operator front: a client may present a certificate, and if it does, the chain must lead to the
/// operators' CA; no device's CA counts here. The context is replaced whole when the server's certificate changes; open
/// connections keep the one they began with.
package final class OperatorTLS: Sendable {
    /// The server's certificate chain and key.
    package struct Identity: Sendable, Equatable {
        package let chain: [NIOSSLCertificate]
        package let key: NIOSSLPrivateKey

        package init(chain: [NIOSSLCertificate], key: NIOSSLPrivateKey) {
            self.chain = chain
            self.key = key
        }
    }

    /// Forward secrecy and authenticated encryption only (RFC 9325 section 4.2).
    private static let cipherSuites: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]
    private static let signatureAlgorithms: [SignatureAlgorithm] = [
        .ecdsaSecp256R1Sha256, .ecdsaSecp384R1Sha384, .ecdsaSecp521R1Sha512, .ed25519, .rsaPssRsaeSha256,
        .rsaPssRsaeSha384, .rsaPssRsaeSha512, .rsaPkcs1Sha256, .rsaPkcs1Sha384, .rsaPkcs1Sha512,
    ]

    private let authority: [UInt8]
    private let minimumVersion: TLSVersion
    private let state: Mutex<State>

    private struct State {
        var identity: Identity
        var context: NIOSSLContext
    }

    package init(
        identity: Identity,
        authority: OperatorAuthority,
        minimumVersion: TLSVersion = .tlsv12
    ) throws {
        self.authority = authority.der
        self.minimumVersion = minimumVersion
        let context = try Self.context(identity, authority: authority.der, minimumVersion: minimumVersion)
        state = Mutex(State(identity: identity, context: context))
    }

    /// The context for the next connection.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Takes a new certificate and key. If that fails, all stays as it was.
    package func reload(identity: Identity) throws {
        // Under the lock from the reading to the writing: of two reloads at one moment, the later one holds.
        try state.withLock { present in
            // A new context has new ticket keys, and every session that it could resume is lost.
            if present.identity == identity { return }
            let context = try Self.context(identity, authority: authority, minimumVersion: minimumVersion)
            present = State(identity: identity, context: context)
        }
    }

    private static func context(
        _ identity: Identity,
        authority: [UInt8],
        minimumVersion: TLSVersion
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: identity.chain.map { .certificate($0) },
            privateKey: .privateKey(identity.key)
        )
        configuration.minimumTLSVersion = minimumVersion
        configuration.cipherSuiteValues = cipherSuites
        configuration.curves = [.x25519_MLKEM768, .x25519, .secp256r1, .secp384r1]
        configuration.verifySignatureAlgorithms = signatureAlgorithms
        configuration.applicationProtocols = ["http/1.1"]
        configuration.renegotiationSupport = .none
        // Asked for and not demanded: a bearer token is the other way in.
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .certificates([try NIOSSLCertificate(bytes: authority, format: .der)])
        configuration.sendCANameList = true
        return try NIOSSLContext(configuration: configuration)
    }
}
