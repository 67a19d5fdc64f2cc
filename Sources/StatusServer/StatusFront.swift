package import Enrollment
import Foundation
package import FrontBounds
import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import PKI
import ServiceLifecycle

/// The public front, plain HTTP: what anyone may fetch, and how the server is.
package struct StatusFront: Service {
    /// Where it listens, and its bounds: anyone may open connections.
    package struct Configuration: Sendable {
        package var host: String
        package var port: Int
        /// Connections open at once; more wait in the listener's backlog.
        package var connectionsMax = 256
        /// Connections open at once from one address; one more is closed.
        package var connectionsPerAddressMax = 128
        /// A connection without a request, or with a head that comes to no end, for this long is closed.
        package var idleTimeout: Duration = .seconds(30)
        /// So is one whose request's body takes longer than this.
        package var bodyTimeout: Duration = .seconds(15)

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    private let application: Application<RouterResponder<BasicRequestContext>>

    /// - Parameters:
    ///   - readiness: Asked at each `/readyz`.
    ///   - observer: Told of bounds that are reached.
    ///   - onListening: Runs once the port is open, with the port's number.
    package init(
        configuration: Configuration,
        directory: FleetDirectory,
        crls: PublishedCRLs,
        ocsp: OCSPService,
        onOCSPAnswer: @escaping @Sendable (OCSPAnswer.Kind) -> Void = { _ in },
        readiness: @escaping @Sendable () async -> Readiness,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        observer: any FrontObserver = NoFrontObserver(),
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        let router = Router(options: .autoGenerateHeadEndpoints)
        CRLRoutes(crls: crls, directory: directory, now: { Date() }).add(to: router)
        OCSPRoutes(service: ocsp, onAnswer: onOCSPAnswer, now: { Date() }).add(to: router)
        TrustStoreRoutes(directory: directory).add(to: router)
        // Alive: the process answers. What it depends on is readiness' matter.
        router.get("healthz") { _, _ in Self.text("ok\n") }
        router.get("readyz") { _, _ in
            let readiness = await readiness()
            return Self.text(readiness.text, status: readiness.isReady ? .ok : .serviceUnavailable)
        }
        // The issuer's certificate as AIA caIssuers names it: DER, application/pkix-cert (RFC 5280 section 4.2.2.1).
        router.get("ca/:file") { _, context in
            guard let file = context.parameters.get("file"), file.hasSuffix(".cer"),
                let der = Self.issuer(named: String(file.dropLast(4)), in: directory)
            else { return Self.text("there is no such issuer\n", status: .notFound) }
            return Response(
                status: .ok,
                headers: [.contentType: "application/pkix-cert", .cacheControl: "public, max-age=3600"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: der))
            )
        }
        let ledger = ConnectionLedger(
            ConnectionLedger.Bounds(
                connections: configuration.connectionsMax,
                connectionsPerAddress: configuration.connectionsPerAddressMax,
                // Without TLS nothing comes between a connection and its first request.
                handshakes: configuration.connectionsMax,
                requests: configuration.connectionsMax
            ),
            observer: observer
        )
        let gate = ListenerGate(ledger)
        let loops = FrontLoop.all(of: eventLoopGroup)
        application = Application(
            router: router,
            server: HTTPServerBuilder { responder in
                PublicChildChannel(
                    http: HTTP1Channel(responder: responder),
                    ledger: ledger,
                    loops: loops,
                    idleTimeout: TimeAmount(configuration.idleTimeout),
                    bodyTimeout: TimeAmount(configuration.bodyTimeout),
                    observer: observer
                )
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                availableConnectionsDelegate: gate
            ),
            onServerRunning: { channel in
                do {
                    try await gate.stand(before: channel)
                } catch {
                    // It was closed again before it took a connection.
                    return logger.warning("the public front does not listen", metadata: ["error": "\(error)"])
                }
                await onListening(channel.localAddress?.port ?? configuration.port)
            },
            eventLoopGroupProvider: .shared(eventLoopGroup),
            logger: logger
        )
    }

    package func run() async throws { try await application.run() }

    private static func issuer(named name: String, in directory: FleetDirectory) -> [UInt8]? {
        for fleet in directory.snapshot.fleets.values {
            if let issuer = fleet.record.trusted.first(where: { $0.name == name }) { return issuer.chain.der[0] }
        }
        return nil
    }

    static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}

/// Whether the server can do its work, and what is missing if not.
package struct Readiness: Sendable {
    /// One thing that must be well.
    package struct Check: Sendable {
        package let name: String
        /// What is wrong; nil if all is well.
        package let problem: String?

        package init(name: String, problem: String?) {
            self.name = name
            self.problem = problem
        }
    }

    package let checks: [Check]

    package init(checks: [Check]) { self.checks = checks }

    package var isReady: Bool { checks.allSatisfy { $0.problem == nil } }

    /// One line a check.
    var text: String { checks.map { "\($0.name): \($0.problem ?? "ok")\n" }.joined() }
}
