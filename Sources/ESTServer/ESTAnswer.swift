import EST
import Enrollment
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Builds answers. Each has a length and one buffer, so that head and body leave in one TLS flush: strongSwan reads no
/// chunked answers, and the head in its first read.
enum ESTAnswer {
    /// How long a client is asked to wait when the record is away, before jitter.
    private static let retrySeconds = 2
    private static let retryJitterSeconds = 4

    static func body(_ bytes: [UInt8], type: ESTMediaType, status: ESTStatus = .ok) -> Response {
        Response(
            status: status.http,
            headers: [.contentType: type.rawValue, .contentLength: "\(bytes.count)"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    static func empty(_ status: ESTStatus) -> Response {
        Response(status: status.http, headers: [.contentLength: "0"])
    }

    /// A refusal with its reason code.
    static func refusal(_ refusal: Refusal, to request: Request) -> Response {
        let status: ESTStatus =
            switch (refusal.reason.class, refusal.reason) {
            case (.badRequest, .requestTooLarge): .contentTooLarge
            case (.badRequest, .mediaTypeNotAccepted): .unsupportedMediaType
            case (.badRequest, _): .badRequest
            case (.unauthenticated, _): .unauthorized
            case (.forbidden, _): .forbidden
            }
        var answer = problem(status, refusal.detail, reason: refusal.reason.rawValue, to: request)
        if status == .unauthorized {
            // RFC 9110 section 11.6.1 wants a challenge with every 401. The only way in is the TLS handshake.
            answer.headers[.wwwAuthenticate] = "Certificate realm=\"enrollment\""
        }
        return answer
    }

    /// 503 with Retry-After, spread so that a fleet does not come back as one.
    static func unavailable(_ detail: String, to request: Request) -> Response {
        var answer = problem(.serviceUnavailable, detail, to: request)
        let seconds = retrySeconds + Int.random(in: 0...retryJitterSeconds)
        answer.headers[.retryAfter] = RetryAfter.format(.seconds(seconds))
        return answer
    }

    /// 202 with Retry-After: an operator is to approve; the device sends the same request again (RFC 7030 section 4.2.3,
    /// EST-27).
    static func waiting(_ wait: Duration, to request: Request) -> Response {
        let seconds = RetryAfter.format(wait)
        let line = "the device waits for an operator's approval; send the same request again in \(seconds) s\n"
        var answer = body(Array(line.utf8), type: .plainText, status: .accepted)
        answer.headers[.retryAfter] = seconds
        return answer
    }

    /// One line of text, or problem details (RFC 9457) for clients that ask for them (EST-25).
    static func problem(
        _ status: ESTStatus,
        _ detail: String,
        reason: String? = nil,
        to request: Request
    ) -> Response {
        if request.headers[.accept]?.contains("application/problem+json") == true {
            let problem = Problem(title: status.reasonPhrase, status: status.rawValue, detail: detail, reason: reason)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            if let json = try? encoder.encode(problem) { return body([UInt8](json), type: .problem, status: status) }
        }
        let line = reason.map { "\($0): \(detail)\n" } ?? "\(detail)\n"
        return body(Array(line.utf8), type: .plainText, status: status)
    }

    private struct Problem: Encodable {
        let title: String
        let status: Int
        let detail: String
        let reason: String?
    }
}

extension ESTStatus {
    var http: HTTPResponse.Status { HTTPResponse.Status(code: rawValue, reasonPhrase: reasonPhrase) }
}

extension HTTPField.Name {
    // The name is a valid token, so the initializer cannot fail; `date` never stands in.
    static let requestID = HTTPField.Name("Request-Id") ?? .date
}
