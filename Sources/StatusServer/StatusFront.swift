package import Enrollment
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import PKI
import ServiceLifecycle

/// The public front, plain HTTP: what anyone may fetch, and how the server is.
package struct StatusFront: Service {
    /// Connections at a time; further ones wait in the kernel until one ends.
    package static let connectionsMax = 256
    /// A connection on which nothing is asked for so long is closed: anyone may open one.
    package static let idleTimeout: TimeAmount = .seconds(30)

    private let application: Application<RouterResponder<BasicRequestContext>>

    /// - Parameters:
    ///   - readiness: Asked at each `/readyz`.
    ///   - onListening: Runs once the port is open, with the port's number.
    package init(
        host: String,
        port: Int,
        directory: FleetDirectory,
        crls: PublishedCRLs,
        ocsp: OCSPService,
        onOCSPAnswer: @escaping @Sendable (OCSPAnswer.Kind) -> Void = { _ in },
        readiness: @escaping @Sendable () async -> Readiness,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
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
