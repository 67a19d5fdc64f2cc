package import Enrollment
package import Foundation
import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
package import PKI
import ServiceLifecycle

/// The operator front: the API of `OperatorOperation` over HTTPS, for those who hold an operator's certificate or a
/// bearer token. If a request comes with both, the certificate alone counts, also where it is refused.
package struct OperatorFront: Service {
    package struct Configuration: Sendable {
        package var host: String
        package var port: Int
        /// Connections open at once; more wait in the listener's backlog.
        package var connectionsMax = 256
        package var handshakeTimeout: Duration = .seconds(10)
        /// A connection on which nothing comes for this long is closed.
        package var idleTimeout: Duration = .seconds(60)
        package var bodyTimeout: Duration = .seconds(15)
        /// How long an import may take to arrive.
        package var importTimeout: Duration = .seconds(3_600)

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// Bounds of a request's head.
    private static let headerFieldOctetsMax = 8 * 1024
    private static let headerOctetsMax = 16 * 1024
    private static let headerCountMax = 64
    private static let backlog = 128

    private let application: Application<OperatorResponder>

    /// - Parameters:
    ///   - issuers: Those whose keys this server holds: a fleet can be given no other.
    ///   - authority: The CA of operators' certificates.
    ///   - tokens: Bearer tokens that are taken; nil if only certificates count.
    ///   - now: The clock.
    ///   - onAnswer: Told of each answer: the operation's name, or `unknown`, the status, and the seconds that it took.
    ///     Must not wait.
    ///   - onHandshake: Told how each TLS handshake ended; must not wait.
    ///   - onListening: Runs once the port is open, with the port's number.
    package init(
        configuration: Configuration,
        tls: OperatorTLS,
        record: OperatorRecord,
        issuers: [IssuerRegistration],
        authority: OperatorAuthority,
        tokens: TokenVerification? = nil,
        now: @escaping @Sendable () -> Date = { Date() },
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        onAnswer: @escaping @Sendable (_ operation: String, _ status: Int, _ seconds: Double) -> Void = { _, _, _ in },
        onHandshake: @escaping @Sendable (_ completed: Bool) -> Void = { _ in },
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        let responder = OperatorResponder(
            authentication: OperatorAuthentication(
                operators: record.operators,
                tokens: tokens.map { TokenVerifier($0, logger: logger) }
            ),
            operations: OperatorOperations(
                record: record,
                issuers: issuers,
                authority: authority,
                importTimeout: configuration.importTimeout
            ),
            idempotency: record.idempotency,
            authorization: record.authorization,
            bodyTimeout: configuration.bodyTimeout,
            now: now,
            logger: logger,
            onAnswer: onAnswer
        )
        application = Application(
            responder: responder,
            server: HTTPServerBuilder { respond in
                OperatorChildChannel(
                    tls: tls,
                    http: HTTP1Channel(
                        responder: respond,
                        configuration: .init(
                            idleTimeout: .init(configuration.idleTimeout),
                            httpDecoderConfiguration: .init(
                                maxHeaderFieldSize: Self.headerFieldOctetsMax,
                                maxHeaderListSize: Self.headerOctetsMax,
                                maxHeaderFieldCount: Self.headerCountMax
                            )
                        )
                    ),
                    handshakeTimeout: .init(configuration.handshakeTimeout),
                    onHandshake: onHandshake
                )
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                backlog: Self.backlog,
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.connectionsMax)
            ),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? configuration.port) },
            eventLoopGroupProvider: .shared(eventLoopGroup),
            logger: logger
        )
    }

    package func run() async throws { try await application.run() }

    /// The description of the API (OpenAPI 3.1, YAML) that this front serves.
    package static var openAPI: [UInt8] { PackageResources.openapi_yaml }
}
