import Crypto
import Enrollment
import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import OperatorAPI

/// Carries a write out once for each idempotency key: a repeat gets the first answer again. What failed on our side
/// (5xx) is not kept, so that it can be tried again under the same key.
struct IdempotentWrite: Sendable {
    let record: any IdempotencyRecord
    let logger: Logger

    func answer(
        _ call: OperatorCall,
        _ write: @Sendable () async -> OperatorAnswer
    ) async throws -> OperatorAnswer {
        guard let key = try key(of: call) else { return await write() }
        switch try await record.begin(key, at: call.at) {
        case .answered(let kept):
            var answer = OperatorAnswer(status: kept.status, contentType: kept.contentType, body: kept.body)
            answer.headers[.idempotentReplayed] = "true"
            return answer
        case .atWork:
            throw API.Problem.conflict(
                "idempotency-key-at-work",
                "the same request is being carried out; ask again soon"
            )
        case .ofAnotherRequest:
            throw API.Problem(
                title: "Unprocessable content",
                status: 422,
                detail: "the Idempotency-Key was used for another request; take another one",
                code: "idempotency-key-reused"
            )
        case .taken: break
        }
        let answer = await write()
        do {
            if answer.status >= HTTPResponse.Status.internalServerError.code {
                try await record.abandon(key)
            } else {
                let kept = KeptAnswer(status: answer.status, contentType: answer.contentType, body: answer.body)
                try await record.finish(key, answer: kept)
            }
        } catch {
            // What was done is done, and its answer must not be lost; the key frees itself after `workMax`.
            logger.warning("idempotency key not kept", metadata: ["error": "\(error)"])
        }
        return answer
    }

    private func key(of call: OperatorCall) throws(API.Problem) -> IdempotencyKey? {
        let fields = call.request.headers[values: .idempotencyKey]
        guard let text = fields.first else { return nil }
        guard fields.count == 1, (1...IdempotencyKey.lengthMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw .parameter("Idempotency-Key", "must be 1 to \(IdempotencyKey.lengthMax) visible ASCII characters")
        }
        var hash = SHA256()
        // The body of an import is not part of it: it has not been read yet.
        hash.update(data: Data("\(call.request.method.rawValue) \(call.request.head.path ?? "")\n".utf8))
        hash.update(data: call.body)
        return IdempotencyKey(actor: call.actor, key: text, requestSHA256: [UInt8](hash.finalize()))
    }
}
