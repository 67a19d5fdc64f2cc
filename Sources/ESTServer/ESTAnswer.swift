import EST
import Enrollment
import Foundation

/// Builds answers. Each has a length and leaves in one TLS record: strongSwan reads no chunked answers, and the head in
/// its first read.
enum ESTAnswer {
    /// How long a client is asked to wait when the record is away, before jitter.
    private static let retrySeconds = 2
    private static let retryJitterSeconds = 4

    static func body(_ bytes: [UInt8], type: ESTMediaType, status: ESTStatus = .ok) -> ESTResponse {
        ESTResponse(status: status, fields: [("Content-Type", type.rawValue)], body: bytes)
    }

    static func empty(_ status: ESTStatus) -> ESTResponse {
        ESTResponse(status: status, fields: [], body: [])
    }

    /// A refusal with its reason code.
    static func refusal(_ refusal: Refusal, to request: ESTRequest) -> ESTResponse {
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
            answer.fields.append(("WWW-Authenticate", "Certificate realm=\"enrollment\""))
        }
        return answer
    }

    /// 503 with Retry-After, spread so that a fleet does not come back as one.
    static func unavailable(_ detail: String, to request: ESTRequest) -> ESTResponse {
        var answer = problem(.serviceUnavailable, detail, to: request)
        let seconds = retrySeconds + Int.random(in: 0...retryJitterSeconds)
        answer.fields.append(("Retry-After", RetryAfter.format(.seconds(seconds))))
        return answer
    }

    /// 202 with Retry-After: an operator is to approve; the device sends the same request again (RFC 7030 section 4.2.3,
    /// EST-27).
    static func waiting(_ wait: Duration, to request: ESTRequest) -> ESTResponse {
        let seconds = RetryAfter.format(wait)
        let line = "the device waits for an operator's approval; send the same request again in \(seconds) s\n"
        var answer = body(Array(line.utf8), type: .plainText, status: .accepted)
        answer.fields.append(("Retry-After", seconds))
        return answer
    }

    /// One line of text, or problem details (RFC 9457) for clients that ask for them (EST-25).
    static func problem(
        _ status: ESTStatus,
        _ detail: String,
        reason: String? = nil,
        to request: ESTRequest
    ) -> ESTResponse {
        if request.field("Accept")?.contains("application/problem+json") == true {
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
