import EST
package import Enrollment
import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import ServiceLifecycle
import Synchronization

/// The device front: mutual TLS and EST (RFC 7030) on one listener.
package struct ESTFront: Service {
    package struct Configuration: Sendable {
        package var host: String
        package var port: Int
        /// Connections open at once; more wait in the listener's backlog.
        package var connectionsMax = 10_000
        package var handshakeTimeout: Duration = .seconds(10)
        /// A connection without a request for this long is closed.
        package var idleTimeout: Duration = .seconds(60)
        package var bodyOctetsMax = 64 * 1024
        package var bodyTimeout: Duration = .seconds(15)
        /// Also takes PEM and DER bodies (EST-23).
        package var lenientBodies = false

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// Bounds of a request's head.
    private static let headerFieldOctetsMax = 8 * 1024
    private static let headerOctetsMax = 16 * 1024
    private static let headerCountMax = 64
    private static let backlog: Int = 1_024

    private let application: Application<ESTResponder>

    /// - Parameters:
    ///   - onHandshake: Told how each TLS handshake ended; must not wait.
    ///   - onListening: Runs once the port is open, with the port's number.
    package init(
        configuration: Configuration,
        tls: DeviceTLS,
        directory: FleetDirectory,
        enrollment: EnrollmentService,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        onHandshake: @escaping @Sendable (HandshakeResult) -> Void = { _ in },
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        let responder = ESTResponder(
            directory: directory,
            enrollment: enrollment,
            bodyBounds: ESTBody.Bounds(octetsMax: configuration.bodyOctetsMax, timeout: configuration.bodyTimeout),
            leniency: configuration.lenientBodies ? .pemAndDER : .strict,
            logger: logger
        )
        application = Application(
            responder: responder,
            server: HTTPServerBuilder { respond in
                ESTChildChannel(
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
}
