/// The HTTP statuses that EST gives a meaning, or that a server of ours sends to its clients. Any failure is 4xx or 5xx
/// and never 200 (RFC 7030 section 4.2.3).
package enum ESTStatus: Int, CaseIterable, Hashable, Sendable {
    case ok = 200
    /// Waiting for approval: send the same request again after `Retry-After` (section 4.2.3).
    case accepted = 202
    /// Nothing to say, at csrattrs (section 4.5.2).
    case noContent = 204
    case badRequest = 400
    case unauthorized = 401
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case requestTimeout = 408
    case contentTooLarge = 413
    case unsupportedMediaType = 415
    case tooManyRequests = 429
    case headerTooLarge = 431
    case internalServerError = 500
    case notImplemented = 501
    case serviceUnavailable = 503

    /// The reason phrase of HTTP (RFC 9110 section 15).
    package var reasonPhrase: String {
        switch self {
        case .ok: "OK"
        case .accepted: "Accepted"
        case .noContent: "No Content"
        case .badRequest: "Bad Request"
        case .unauthorized: "Unauthorized"
        case .forbidden: "Forbidden"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .requestTimeout: "Request Timeout"
        case .contentTooLarge: "Content Too Large"
        case .unsupportedMediaType: "Unsupported Media Type"
        case .tooManyRequests: "Too Many Requests"
        case .headerTooLarge: "Request Header Fields Too Large"
        case .internalServerError: "Internal Server Error"
        case .notImplemented: "Not Implemented"
        case .serviceUnavailable: "Service Unavailable"
        }
    }

    /// True if a client may send the same request again after the time in `Retry-After`.
    package var asksToRetry: Bool {
        switch self {
        case .accepted, .tooManyRequests, .serviceUnavailable: true
        case .ok, .noContent, .badRequest, .unauthorized, .forbidden, .notFound, .methodNotAllowed, .requestTimeout,
            .contentTooLarge, .unsupportedMediaType, .headerTooLarge, .internalServerError, .notImplemented:
            false
        }
    }
}
