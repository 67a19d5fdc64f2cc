import EST
import Foundation
import NIOHTTP1
import NIOSSL

/// What an EST server made of one request.
enum ESTReply: Sendable {
    /// 200, with its body.
    case ok([UInt8])
    /// 202 with Retry-After: an operator is to approve; the same again, later (RFC 7030 section 4.2.3).
    case pending(wait: Duration)
    /// 429 or 503 with Retry-After: the same again, later.
    case later(status: Int, reason: String, wait: Duration)
    case refused(status: Int, reason: String)
}

/// EST (RFC 7030) as a device speaks it, each operation on a connection of its own.
struct ESTClient: Sendable {
    let exchange: HTTPExchange
    let label: ESTLabel

    /// An operation's reply, and the exchange it came by.
    func perform(
        _ operation: ESTOperation,
        body: [UInt8] = [],
        tls: NIOSSLContext,
        conditions: ConnectionConditions = ConnectionConditions()
    ) async throws -> (reply: ESTReply, answer: HTTPAnswer) {
        // Text would do for people; a code can be counted.
        var fields = [("Accept", "\(operation.responseMediaType.essence), \(ESTMediaType.problem.rawValue)")]
        if let type = operation.requestMediaType { fields.append(("Content-Type", type.rawValue)) }
        let question = HTTPQuestion(
            method: operation.method == .get ? .GET : .POST,
            path: ESTPath.path(of: operation, label: label),
            fields: fields,
            body: body
        )
        let answer = try await exchange.ask(question, tls: tls, conditions: conditions)
        return (reply(answer, to: operation), answer)
    }

    private func reply(_ answer: HTTPAnswer, to operation: ESTOperation) -> ESTReply {
        let contentType = answer.fields.first(name: "Content-Type")
        if answer.status == ESTStatus.ok.rawValue {
            guard let contentType, operation.responseMediaType.matches(contentType: contentType) else {
                return .refused(status: answer.status, reason: "200 with the wrong media type")
            }
            return .ok(answer.body)
        }
        let reason = ServerReason.code(contentType: contentType, body: answer.body)
        let now = Int64(Date().timeIntervalSince1970)
        if ESTStatus(rawValue: answer.status)?.asksToRetry == true,
            let value = answer.fields.first(name: "Retry-After"), let wait = RetryAfter.parse(value, now: now)
        {
            // Only an enrollment can wait for a person.
            if answer.status == ESTStatus.accepted.rawValue, operation != .cacerts { return .pending(wait: wait) }
            return .later(status: answer.status, reason: reason, wait: wait)
        }
        return .refused(status: answer.status, reason: reason)
    }
}
