import AsyncHTTPClient
import Enrollment
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// Posts events to one webhook. What it answers beside its status is of no interest.
struct WebhookReceiver: Sendable {
    /// For one delivery, from the connection to the end of the answer.
    static let timeout: TimeAmount = .seconds(10)
    /// An answer's body is read so far, so that the connection can be used again; a longer one is let go.
    private static let answerOctetsMax = 16 << 10
    /// Servers close idle connections, many after five seconds; a delivery on one that is just being closed would be lost.
    private static let idleTimeout: TimeAmount = .seconds(4)

    let name: String
    let url: String
    let signature: WebhookSignature
    /// What its certificate must chain to; nil for the system's CAs.
    let anchors: [NIOSSLCertificate]?
    var now: @Sendable () -> Date = { Date() }
    let logger: Logger

    /// Runs `body` with a client for this receiver alone.
    func withClient<Value>(_ body: (HTTPClient) async throws -> Value) async throws -> Value {
        try await HTTPClient.withHTTPClient(configuration: configuration, body)
    }

    private var configuration: HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if let anchors { tls.trustRoots = .certificates(anchors) }
        var pool = HTTPClient.Configuration.ConnectionPool(idleTimeout: Self.idleTimeout)
        // Else a certificate that is not trusted is told as a time that ran out.
        pool.retryConnectionEstablishment = false
        pool.concurrentHTTP1ConnectionsPerHostSoftLimit = WebhookSender.concurrency
        return HTTPClient.Configuration(
            tlsConfiguration: tls,
            // What is signed for one place is not carried to another.
            redirectConfiguration: .disallow,
            connectionPool: pool
        )
    }

    /// - Parameter message: The same each time that `body` is sent.
    func send(message: UUID, body: [UInt8], by client: HTTPClient) async -> WebhookOutcome {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "user-agent", value: "muster/\(Muster.version)")
        let id = message.text
        for header in signature.headers(message: id, body: body, at: now()) {
            request.headers.add(name: header.name, value: header.value)
        }
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await client.execute(request, timeout: Self.timeout)
            // Its status stands, whatever becomes of its body.
            _ = try? await response.body.collect(upTo: Self.answerOctetsMax)
            return Self.outcome(Int(response.status.code), retryAfter: response.headers.first(name: "retry-after"))
        } catch {
            // Errors name the host at most, never the path and its tokens.
            logger.debug("a webhook is not reached", metadata: ["webhook": "\(name)", "error": "\(error)"])
            return .unreached(Self.reason(error))
        }
    }

    static func outcome(_ status: Int, retryAfter: String?) -> WebhookOutcome {
        switch status {
        case 200...299: .delivered
        case 410: .gone
        // RFC 9110 section 10.2.3; its other form, a date, is taken for none.
        default: .refused(status: status, retryAfter: retryAfter.flatMap { UInt32($0) }.map { .seconds(Int64($0)) })
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError
        where [.deadlineExceeded, .connectTimeout, .readTimeout, .writeTimeout, .tlsHandshakeTimeout].contains(error):
            "no answer within \(timeout.nanoseconds / 1_000_000_000) s"
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: "no TLS: is its certificate trusted and in time?"
        case is HTTPClientError: "the connection ended before the answer"
        default: "no connection"
        }
    }
}
