package import Foundation

/// The attempts that were kept, as operators read them.
package protocol AttemptLog: Sendable {
    /// One page, newest first.
    func attempts(
        _ query: AttemptQuery,
        after: AttemptPosition?,
        limit: Int
    ) async throws(RecordError) -> [AttemptEntry]

    /// By the id that the device's answer carried in `Request-Id`.
    func attempt(_ requestID: UUID) async throws(RecordError) -> AttemptEntry?
}

/// Which attempts. What is nil does not matter.
package struct AttemptQuery: Hashable, Sendable {
    package var fleet: FleetID?
    package var device: String?
    package var outcome: Attempt.Outcome?
    package var reason: RefusalReason?
    package var credentialSHA256: [UInt8]?
    /// Inclusive.
    package var from: Date?
    /// Exclusive.
    package var until: Date?

    package init() {}
}

/// Where a page ended.
package struct AttemptPosition: Hashable, Sendable {
    package let at: Date
    package let id: Int64

    package init(at: Date, id: Int64) {
        self.at = at
        self.id = id
    }
}

/// An attempt as it was kept. Codes are text: a newer server may have written ones that this one does not know.
package struct AttemptEntry: Hashable, Sendable {
    package let id: Int64
    package let at: Date
    package let requestID: UUID
    package let fleet: String?
    package let device: String?
    package let operation: String
    package let source: String
    package let credentialKind: String?
    package let credentialSHA256: [UInt8]?
    package let credentialSubject: String?
    package let anchor: String?
    package let publicKeySHA256: [UInt8]?
    package let stage: String
    package let rule: String
    package let outcome: String
    package let reason: String?
    package let detail: String?
    package let issuer: String?
    package let serialNumber: [UInt8]?

    package init(
        id: Int64,
        at: Date,
        requestID: UUID,
        fleet: String?,
        device: String?,
        operation: String,
        source: String,
        credentialKind: String?,
        credentialSHA256: [UInt8]?,
        credentialSubject: String?,
        anchor: String?,
        publicKeySHA256: [UInt8]?,
        stage: String,
        rule: String,
        outcome: String,
        reason: String?,
        detail: String?,
        issuer: String?,
        serialNumber: [UInt8]?
    ) {
        self.id = id
        self.at = at
        self.requestID = requestID
        self.fleet = fleet
        self.device = device
        self.operation = operation
        self.source = source
        self.credentialKind = credentialKind
        self.credentialSHA256 = credentialSHA256
        self.credentialSubject = credentialSubject
        self.anchor = anchor
        self.publicKeySHA256 = publicKeySHA256
        self.stage = stage
        self.rule = rule
        self.outcome = outcome
        self.reason = reason
        self.detail = detail
        self.issuer = issuer
        self.serialNumber = serialNumber
    }
}
