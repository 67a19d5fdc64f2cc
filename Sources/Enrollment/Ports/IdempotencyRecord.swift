package import Foundation

/// What was answered to writes that carried an idempotency key.
package protocol IdempotencyRecord: Sendable {
    /// Takes a key for a request, or says what became of the one that has it.
    func begin(_ key: IdempotencyKey, at: Date) async throws(RecordError) -> IdempotencyStanding

    /// Keeps the answer for repeats.
    func finish(_ key: IdempotencyKey, answer: KeptAnswer) async throws(RecordError)

    /// Gives the key back, since nothing was done.
    func abandon(_ key: IdempotencyKey) async throws(RecordError)
}

/// A key, whose it is, and what it was first used for.
package struct IdempotencyKey: Hashable, Sendable {
    /// How long an answer is kept.
    package static let lifetime: Duration = .seconds(24 * 3_600)
    /// A request that is at work for longer was cut off by a crash, and may be made again.
    package static let workMax: Duration = .seconds(120)
    package static let lengthMax = 255

    package let actor: String
    package let key: String
    /// SHA-256 of method, path and body.
    package let requestSHA256: [UInt8]

    package init(actor: String, key: String, requestSHA256: [UInt8]) {
        self.actor = actor
        self.key = key
        self.requestSHA256 = requestSHA256
    }
}

/// What became of a key.
package enum IdempotencyStanding: Hashable, Sendable {
    /// It is this request's now.
    case taken
    /// The same request was answered so.
    case answered(KeptAnswer)
    /// The same request is at work.
    case atWork
    /// Another request had it.
    case ofAnotherRequest
}

/// An answer as it was sent.
package struct KeptAnswer: Hashable, Sendable {
    package let status: Int
    package let contentType: String?
    package let body: [UInt8]

    package init(status: Int, contentType: String?, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}
