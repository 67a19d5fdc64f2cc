import Crypto
import EST
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SwiftASN1
import Synchronization
import X509

/// An EST server whose answers to simpleenroll a test decides, over real TLS on a port of its own.
final class ScriptedEST: Sendable {
    /// What it answers to one request.
    enum Answer: Sendable {
        case issue
        /// The certificate that the key has already, or a new one.
        case issueOnce
        /// That status with Retry-After.
        case later(Int, String)
        /// 202 with that Retry-After.
        case wait(String)
        /// That status with a reason code in problem details (RFC 9457).
        case refuse(Int, String)
    }

    /// One simpleenroll as it came.
    struct Request: Sendable {
        /// The common name asked for.
        let deviceID: String
        let label: String?
        let body: [UInt8]
        let at: ContinuousClock.Instant
        /// Which connection it came by, counted from 1.
        let connection: Int
        /// SHA-256 of the client's certificate, hexadecimal.
        let credential: String
    }

    /// What to answer; `attempt` is the device's, counted from 1.
    typealias Script = @Sendable (_ deviceID: String, _ attempt: Int) -> Answer

    let workshop: Workshop
    let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let log: Log

    /// All simpleenroll requests so far, in their order.
    var requests: [Request] { log.requests }

    /// Lends a running one to `body`.
    /// - Parameters:
    ///   - port: 0 for a free one.
    ///   - workshop: The PKI; a new one if nil.
    static func with(
        port: Int = 0,
        workshop: Workshop? = nil,
        _ script: @escaping Script,
        _ body: (ScriptedEST) async throws -> Void
    ) async throws {
        let server = try await ScriptedEST(workshop ?? Workshop(), port: port, script)
        let result: Result<Void, any Error>
        do { result = .success(try await body(server)) } catch { result = .failure(error) }
        try await server.channel.close()
        try await server.group.shutdownGracefully()
        try result.get()
    }

    private init(_ workshop: Workshop, port: Int, _ script: @escaping Script) async throws {
        self.workshop = workshop
        let log = Log(workshop: workshop, script: script)
        self.log = log
        var tls = try TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(NIOSSLCertificate(bytes: workshop.server.der, format: .der))],
            privateKey: .privateKey(NIOSSLPrivateKey(bytes: Array(workshop.server.key.derRepresentation), format: .der))
        )
        tls.trustRoots = try .certificates(
            [workshop.manufacturer, workshop.claimAuthority].map {
                try NIOSSLCertificate(bytes: $0.der, format: .der)
            }
        )
        tls.certificateVerification = .noHostnameVerification
        let context = try NIOSSLContext(configuration: tls)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(AnswerHandler(log))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        self.port = channel.localAddress?.port ?? 0
    }

    /// What came, and the answers to it.
    fileprivate final class Log: Sendable {
        private struct State {
            var requests: [Request] = []
            var connections = 0
            /// Certificates (DER) by public key.
            var issued: [Certificate.PublicKey: [UInt8]] = [:]
        }

        private let workshop: Workshop
        private let script: Script
        private let state = Mutex(State())

        init(workshop: Workshop, script: @escaping Script) {
            self.workshop = workshop
            self.script = script
        }

        var requests: [Request] { state.withLock { $0.requests } }

        func connection() -> Int {
            state.withLock { state in
                state.connections += 1
                return state.connections
            }
        }

        func cacerts() throws -> [UInt8] {
            try Base64Body.encode(CertsOnly.encode([workshop.root.der, workshop.issuer.der]))
        }

        func enroll(_ label: String?, _ body: [UInt8], connection: Int, credential: [UInt8]) throws -> (Answer, [UInt8])
        {
            let request = try CertificateSigningRequest(derEncoded: Base64Body.decode(body).der)
            let deviceID =
                request.subject.flatMap { $0 }.first { $0.type == .NameAttributes.commonName }?
                .value.description ?? ""
            let attempt = state.withLock { state in
                state.requests.append(
                    Request(
                        deviceID: deviceID,
                        label: label,
                        body: body,
                        at: .now,
                        connection: connection,
                        credential: SHA256.hash(data: credential).map {
                            String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
                        }
                        .joined()
                    )
                )
                return state.requests.count { $0.deviceID == deviceID }
            }
            let answer = script(deviceID, attempt)
            let certificate: [UInt8]
            switch answer {
            case .wait, .refuse, .later: return (answer, [])
            case .issue: certificate = try workshop.issue(request)
            case .issueOnce:
                certificate = try state.withLock { state in
                    let certificate = try state.issued[request.publicKey] ?? workshop.issue(request)
                    state.issued[request.publicKey] = certificate
                    return certificate
                }
            }
            return try (answer, Base64Body.encode(CertsOnly.encode([certificate])))
        }
    }
}

/// Gathers a request and answers it.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let log: ScriptedEST.Log
    private let connection: Int
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ log: ScriptedEST.Log) {
        self.log = log
        connection = log.connection()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(let part): body.append(contentsOf: part.readableBytesView)
        case .end:
            do { try answer(context) } catch { context.close(promise: nil) }
        }
    }

    private func answer(_ context: ChannelHandlerContext) throws {
        guard let head else { return }
        if head.uri.hasSuffix("/cacerts") {
            return try write(context, 200, [("Content-Type", ESTMediaType.certsOnly.rawValue)], log.cacerts())
        }
        let parts = head.uri.split(separator: "/")
        let handler = try context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
        let (answer, certificates) = try log.enroll(
            parts.count == 4 ? String(parts[2]) : nil,
            body,
            connection: connection,
            credential: handler.peerCertificate?.toDERBytes() ?? []
        )
        switch answer {
        case .issue, .issueOnce:
            write(context, 200, [("Content-Type", ESTMediaType.certsOnly.rawValue)], certificates)
        case .later(let status, let retryAfter):
            write(context, status, [("Content-Type", "text/plain"), ("Retry-After", retryAfter)], Array("busy\n".utf8))
        case .wait(let retryAfter):
            write(context, 202, [("Content-Type", "text/plain"), ("Retry-After", retryAfter)], Array("wait\n".utf8))
        case .refuse(let status, let reason):
            let problem = "{\"title\":\"Forbidden\",\"status\":\(status),\"reason\":\"\(reason)\"}"
            write(context, status, [("Content-Type", ESTMediaType.problem.rawValue)], Array(problem.utf8))
        }
    }

    private func write(_ context: ChannelHandlerContext, _ status: Int, _ fields: [(String, String)], _ body: [UInt8]) {
        var headers = HTTPHeaders(fields)
        headers.add(name: "Content-Length", value: "\(body.count)")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
