import EST
package import Enrollment
package import FrontBounds
package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import PKI
import ServiceLifecycle

/// The device front: mutual TLS and EST (RFC 7030) on one listener. A connection stays on one event loop from its first
/// octet to its last, its enrollments included.
package struct ESTFront: Service {
    package struct Configuration: Sendable {
        package var host: String
        package var port: Int
        /// Connections open at once; more wait in the listener's backlog.
        package var connectionsMax = 10_000
        /// Connections open at once from one address; one more is closed.
        package var connectionsPerAddressMax = 5_000
        /// Handshakes at once; more wait in the listener's backlog.
        package var handshakesMax = 512
        package var handshakeTimeout: Duration = .seconds(10)
        /// A connection without a request for this long is closed.
        package var idleTimeout: Duration = .seconds(60)
        /// Octets of a request's head, all fields together.
        package var headerOctetsMax = 16 * 1024
        /// Certificates of a client's chain, its own among them, and their octets together.
        package var chainCertificatesMax = ClientChain.countMax
        package var chainOctetsMax = ClientChain.octetsMax
        package var bodyOctetsMax = 64 * 1024
        package var bodyTimeout: Duration = .seconds(15)
        /// Enrollments at once; more are answered 503.
        package var requestsMax = 2_048
        /// Also takes PEM and DER bodies (EST-23).
        package var lenientBodies = false

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// A single field of a request's head.
    private static let headerFieldOctetsMax = 8 * 1024
    private static let headerCountMax = 64
    private static let backlog: Int32 = 1_024
    /// Octets that one read from a socket takes. Handshakes and requests are small, and each connection keeps one such
    /// buffer.
    private static let readOctets = 2_048

    private let configuration: Configuration
    private let tls: DeviceTLS
    private let responder: ESTResponder
    private let ledger: ConnectionLedger
    private let intermediates = ParsedIntermediates()
    private let observer: any FrontObserver
    private let eventLoopGroup: any EventLoopGroup
    private let logger: Logger
    private let onListening: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - observer: Told what happens on connections.
    ///   - onListening: Runs once the port is open, with the port's number.
    package init(
        configuration: Configuration,
        tls: DeviceTLS,
        directory: FleetDirectory,
        enrollment: EnrollmentService,
        eventLoopGroup: any EventLoopGroup,
        logger: Logger,
        observer: any FrontObserver = NoFrontObserver(),
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.tls = tls
        self.observer = observer
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
        self.onListening = onListening
        responder = ESTResponder(
            directory: directory,
            enrollment: enrollment,
            bodyOctetsMax: configuration.bodyOctetsMax,
            leniency: configuration.lenientBodies ? .pemAndDER : .strict,
            logger: logger
        )
        ledger = ConnectionLedger(
            ConnectionLedger.Bounds(
                connections: configuration.connectionsMax,
                connectionsPerAddress: configuration.connectionsPerAddressMax,
                handshakes: configuration.handshakesMax,
                requests: configuration.requestsMax
            ),
            observer: observer
        )
    }

    /// Serves until shutdown: then it listens no more, connections end after the request that they are at, and it
    /// returns when the last one has ended.
    package func run() async throws {
        let listener = try await listen()
        await onListening(listener.localAddress?.port ?? configuration.port)
        logger.info("devices are served", metadata: ["address": "\(configuration.host):\(configuration.port)"])
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                try? await listener.closeFuture.get()
                await ledger.drain()
            } onGracefulShutdown: {
                stop(listener, quietly: true)
            }
        } onCancel: {
            stop(listener, quietly: false)
        }
    }

    private func stop(_ listener: any Channel, quietly: Bool) {
        listener.close(promise: nil)
        for channel in ledger.stop() {
            if quietly {
                channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            } else {
                channel.close(promise: nil)
            }
        }
    }

    private func listen() async throws -> any Channel {
        let perRead = AcceptGate.perRead(ledger.bounds)
        let date = DateField()
        let loops = FrontLoop.all(of: eventLoopGroup)
        // The listener has TCP_NODELAY from NIO, and on Linux an accepted socket has what its listener has.
        return try await ServerBootstrap(group: eventLoopGroup)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: UInt(perRead))
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGate(ledger, perRead: perRead))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try begin(channel, on: loops[ObjectIdentifier(channel.eventLoop)], date: date)
                }
            }
            .bind(host: configuration.host, port: configuration.port)
            .get()
    }

    /// Puts a new connection's handlers in place: TLS with the context of this moment, then HTTP/1.1.
    private func begin(_ channel: any Channel, on known: FrontLoop?, date: DateField) throws {
        // Here, and not as the bootstrap's options for its children, which cost futures for each connection.
        if let options = channel.syncOptions {
            // A client that says goodbye after its request still gets the answer, as gnutls-cli does from a pipe.
            try options.setOption(.allowRemoteHalfClosure, value: true)
            try options.setOption(.allocator, value: RecordBuffers.allocator)
            try options.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readOctets))
        }
        let loop = known ?? FrontLoop(channel.eventLoop)
        let deadlines = loop.deadlines.value
        let deadline = ConnectionDeadline()
        deadlines.watch(deadline)
        channel.closeFuture.assumeIsolated().whenComplete { _ in deadlines.forget(deadline) }
        let connection = ClientConnection(source: channel.sourceAddress, intermediates: intermediates)
        let id = ConnectionLedger.id(of: channel)
        let chainBounds = ClientChainBounds(
            countMax: min(configuration.chainCertificatesMax, ClientChain.countMax),
            octetsMax: min(configuration.chainOctetsMax, ClientChain.octetsMax)
        )
        let gate = FlightGate()
        let handler = NIOSSLServerHandler(context: tls.context, configuration: .init()) { certificates, promise in
            // The handshake proves that the client holds the key; who it is, the request decides.
            guard let chain = chainBounds.accepted(certificates) else {
                observer.reached(.chain)
                promise.succeed(.failed)
                return
            }
            connection.present(chain)
            promise.succeed(.certificateVerified(VerificationMetadata(nil)))
        }
        let watch = HandshakeWatch(
            connection: connection,
            deadline: deadline,
            timeout: TimeAmount(configuration.handshakeTimeout),
            observer: observer,
            onEnd: { ledger.handshakeEnded(id) }
        )
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = min(Self.headerFieldOctetsMax, configuration.headerOctetsMax)
        limits.maxHeaderListSize = configuration.headerOctetsMax
        limits.maxHeaderFieldCount = Self.headerCountMax
        let exchange = ESTExchange(
            bounds: ESTExchange.Bounds(
                bodyOctetsMax: configuration.bodyOctetsMax,
                bodyTimeout: TimeAmount(configuration.bodyTimeout),
                idleTimeout: TimeAmount(configuration.idleTimeout)
            ),
            connection: connection,
            responder: responder,
            ledger: ledger,
            observer: observer,
            executor: loop.executor,
            deadline: deadline,
            date: date,
            gate: gate
        )
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(gate)
        try pipeline.addHandler(handler)
        try pipeline.addHandler(watch)
        try pipeline.addHandler(RightSizedReads())
        try pipeline.addHandler(AnswerCoalescer())
        try pipeline.addHandler(HTTPResponseEncoder())
        try pipeline.addHandler(
            ByteToMessageHandler(
                HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
            )
        )
        try pipeline.addHandler(HTTPServerPipelineHandler())
        try pipeline.addHandler(exchange)
    }
}
