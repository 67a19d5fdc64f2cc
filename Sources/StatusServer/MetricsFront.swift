import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import ServiceLifecycle

/// The metrics front, plain HTTP: what Prometheus scrapes. It tells how the server is used, so it belongs on an address
/// that only the monitoring reaches.
package struct MetricsFront: Service {
    /// Connections at a time; further ones wait in the kernel until one ends.
    package static let connectionsMax = 64
    /// A connection on which nothing is asked for so long is closed: longer than the usual time between two scrapes.
    package static let idleTimeout: TimeAmount = .seconds(120)
    /// Prometheus' text exposition format.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private let application: Application<RouterResponder<BasicRequestContext>>

    /// - Parameters:
    ///   - render: Asked for the text at each scrape.
    ///   - onListening: Runs once the port is open, with the port's number.
    package init(
        host: String,
        port: Int,
        render: @escaping @Sendable () async -> String,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        let router = Router()
        router.get("metrics") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: Self.contentType, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: await render()))
            )
        }
        application = Application(
            router: router,
            server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionsMax, logger: logger)
            ),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) },
            eventLoopGroupProvider: .shared(eventLoopGroup),
            logger: logger
        )
    }

    package func run() async throws { try await application.run() }
}
