import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OperatorAPI

/// An answer on its way: status, body and what else its head says.
struct OperatorAnswer: Sendable {
    static let json = "application/json"
    static let problemJSON = "application/problem+json"
    /// How long a client is asked to wait when the record is away.
    private static let retrySeconds = 5

    var status: Int
    var contentType: String?
    var body: [UInt8]
    var headers: HTTPFields = [:]

    static func json(_ body: some Encodable, status: Int = 200) throws -> OperatorAnswer {
        OperatorAnswer(status: status, contentType: json, body: [UInt8](try OperatorJSON.encode(body)))
    }

    /// 204: done, and nothing to say.
    static let nothing = OperatorAnswer(status: 204, contentType: nil, body: [])

    static func problem(_ problem: API.Problem) -> OperatorAnswer {
        // A problem holds text and numbers alone, so that encoding it cannot fail.
        let body = (try? OperatorJSON.encode(problem)).map { [UInt8]($0) } ?? []
        var answer = OperatorAnswer(status: problem.status, contentType: problemJSON, body: body)
        if problem.status == HTTPResponse.Status.serviceUnavailable.code {
            answer.headers[.retryAfter] = "\(retrySeconds)"
        }
        return answer
    }

    /// As it is sent: never kept by anyone, and with its length.
    func response(requestID: String) -> Response {
        var fields = headers
        fields[.requestID] = requestID
        fields[.cacheControl] = "no-store"
        fields[.contentType] = contentType
        fields[.xContentTypeOptions] = "nosniff"
        // RFC 9110 section 8.6: an answer 204 has no Content-Length.
        if status != HTTPResponse.Status.noContent.code { fields[.contentLength] = "\(body.count)" }
        return Response(
            status: HTTPResponse.Status(code: status),
            headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }
}

extension HTTPField.Name {
    // The names are valid tokens, so the initializer cannot fail; `date` never stands in.
    static let requestID = HTTPField.Name("Request-Id") ?? .date
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .date
    static let idempotentReplayed = HTTPField.Name("Idempotent-Replayed") ?? .date
}
