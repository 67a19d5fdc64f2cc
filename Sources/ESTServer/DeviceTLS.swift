package import Enrollment
import Foundation
import NIOCore
package import NIOSSL
import PKI
import SwiftASN1
import Synchronization
import X509

/// The TLS side of the device front: one context at a time, replaced whole when the server's certificate or a fleet's
/// anchors change. Open connections keep the context they began with; the next one gets the new.
package final class DeviceTLS: Sendable {
    /// The server's certificate chain and key.
    package struct Identity: Sendable {
        package let chain: [NIOSSLCertificate]
        package let key: NIOSSLPrivateKey

        package init(chain: [NIOSSLCertificate], key: NIOSSLPrivateKey) {
            self.chain = chain
            self.key = key
        }
    }

    /// More CA names than this are not listed in the CertificateRequest: the message would not fit (TLS-07).
    private static let authoritiesListedMax = 100
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

    private let minimumVersion: TLSVersion
    private let state: Mutex<State>

    private struct State {
        var identity: Identity
        var authorities: [Certificate]
        var context: NIOSSLContext
    }

    package init(identity: Identity, minimumVersion: TLSVersion, directory: FleetDirectory) throws {
        self.minimumVersion = minimumVersion
        let authorities = Self.authorities(directory)
        let context = try Self.context(identity, minimumVersion: minimumVersion, authorities: authorities)
        state = Mutex(State(identity: identity, authorities: authorities, context: context))
    }

    /// The context for the next connection.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Takes a new certificate and key, if given, and the anchors as they are now. If that fails, all stays as it was.
    package func reload(identity: Identity? = nil, directory: FleetDirectory) throws {
        // Under the lock from the reading to the writing: a new certificate and new anchors may come at one moment, and
        // neither may undo the other.
        try state.withLock { present in
            let authorities = Self.authorities(directory)
            // A new context has new ticket keys, and every session that it could resume is lost (EST-05).
            if identity == nil, present.authorities == authorities { return }
            let next = identity ?? present.identity
            let context = try Self.context(next, minimumVersion: minimumVersion, authorities: authorities)
            present = State(identity: next, authorities: authorities, context: context)
        }
    }

    /// The CAs whose certificates count, in a stable order, each name once.
    private static func authorities(_ directory: FleetDirectory) -> [Certificate] {
        let fleets = directory.snapshot.fleets.values.sorted { $0.name.text < $1.name.text }
        var seen: Set<DistinguishedName> = []
        return fleets.flatMap { fleet in
            fleet.record.anchors.map(\.certificate) + fleet.record.trusted.map(\.chain.issuing)
        }.filter { seen.insert($0.subject).inserted }
    }

    private static func context(
        _ identity: Identity,
        minimumVersion: TLSVersion,
        authorities: [Certificate]
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
        // A certificate is asked for and not demanded: /cacerts and /csrattrs go without (EST-10, EST-40). What is
        // presented is judged at the request, where a refusal can say why (TLS-06).
        configuration.certificateVerification = .optionalVerification
        if authorities.count <= authoritiesListedMax {
            configuration.trustRoots = .certificates(
                try authorities.map { try NIOSSLCertificate(bytes: $0.serializeAsPEM().derBytes, format: .der) }
            )
            configuration.sendCANameList = !authorities.isEmpty
        } else {
            configuration.trustRoots = .certificates([])
        }
        return try NIOSSLContext(configuration: configuration)
    }
}

/// Bounds a client's chain before anything is computed over it (TLS-13).
struct ClientChainBounds: Sendable {
    let countMax: Int
    let octetsMax: Int

    /// The chain's DER, leaf first, if it may go on to CertificateVerify.
    func accepted(_ certificates: [NIOSSLCertificate]) -> [[UInt8]]? {
        guard !certificates.isEmpty, certificates.count <= countMax else { return nil }
        var chain: [[UInt8]] = []
        var octets = 0
        for certificate in certificates {
            guard let der = try? certificate.toDERBytes() else { return nil }
            octets += der.count
            chain.append(der)
        }
        guard octets <= octetsMax else { return nil }
        // A huge RSA key costs the server far more than it costs the client. A certificate without room for one has none.
        if let leaf = chain.first, leaf.count > Self.rsaKeyInfoOctetsMax {
            guard let key = try? certificates.first?.extractPublicKey().toSPKIBytes(),
                key.count <= Self.rsaKeyInfoOctetsMax
            else { return nil }
        }
        return chain
    }

    /// The SubjectPublicKeyInfo of an 8,192-bit RSA key has 1,062 octets; every other accepted key is smaller.
    private static let rsaKeyInfoOctetsMax = 1_100
}
