import Enrollment
import Foundation
import Logging
import NIOCore
import OperatorServer
import PKI

/// The operator front from its section of the configuration.
struct OperatorFrontWiring: Sendable {
    private let configuration: ServerConfiguration.OperatorFront
    private let authority: OperatorAuthority
    private let tls: OperatorTLS

    /// Reads keys and certificates; nothing listens yet.
    init(_ configuration: ServerConfiguration.OperatorFront) throws {
        self.configuration = configuration
        let ca = try ServerMaterial.operatorCA(configuration)
        do {
            authority = try OperatorAuthority(certificate: ca.certificate, key: ca.key)
        } catch {
            throw ServerMaterial.Problem(
                key: "operator.caCertificateFile",
                path: configuration.caCertificateFile,
                why: "\(error)"
            )
        }
        tls = try OperatorTLS(identity: Self.identity(configuration), authority: authority)
    }

    func front(
        record: OperatorRecord,
        issuers: [IssuerRegistration],
        metrics: OperatorMetrics,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void
    ) -> OperatorFront {
        OperatorFront(
            configuration: .init(host: configuration.listen.host, port: configuration.listen.port),
            tls: tls,
            record: record,
            issuers: issuers,
            authority: authority,
            tokens: configuration.tokens.map { tokens in
                var verification = TokenVerification(issuer: tokens.issuer, audience: tokens.audience) {
                    Data(try ServerMaterial.read(tokens.keySetFile, key: "operator.jwksFile"))
                }
                verification.rolesClaim = tokens.rolesClaim
                return verification
            },
            eventLoopGroup: eventLoopGroup,
            logger: logger,
            onAnswer: metrics.answered,
            onHandshake: metrics.shookHands,
            onListening: onListening
        )
    }

    /// Takes a new certificate and key.
    func reload(_ configuration: ServerConfiguration.OperatorFront) throws {
        try tls.reload(identity: Self.identity(configuration))
    }

    private static func identity(_ configuration: ServerConfiguration.OperatorFront) throws -> OperatorTLS.Identity {
        let identity = try ServerMaterial.identity(
            certificateFile: configuration.certificateFile,
            keyFile: configuration.keyFile,
            section: "operator"
        )
        return OperatorTLS.Identity(chain: identity.chain, key: identity.key)
    }
}
