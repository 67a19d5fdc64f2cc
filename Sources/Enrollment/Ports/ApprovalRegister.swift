package import Foundation

/// The devices that wait, or waited, for an operator's word.
package protocol ApprovalRegister: Sendable {
    /// One page, oldest first.
    func approvals(
        of fleet: FleetID,
        state: ApprovalState?,
        after: Int64?,
        limit: Int
    ) async throws(RecordError) -> [ApprovalEntry]

    func approval(_ id: Int64, of fleet: FleetID) async throws(RecordError) -> ApprovalEntry?

    /// Approves or rejects, with its audit entry. A decision can be changed. Deciding the same again changes nothing.
    /// - Returns: The entry as it then is, or nil if there is none.
    func decide(
        _ id: Int64,
        of fleet: FleetID,
        approve: Bool,
        comment: String?,
        actor: String,
        at: Date
    ) async throws(RecordError) -> ApprovalEntry?
}

/// A device that waits, or waited.
package struct ApprovalEntry: Hashable, Sendable {
    package let id: Int64
    package let device: String
    package let publicKeySHA256: [UInt8]
    package let kind: ApprovalRequest.Kind
    package let state: ApprovalState
    package let anchor: String?
    package let credentialSHA256: [UInt8]
    package let credentialSubject: String?
    package let source: String
    package let requestedAt: Date
    package let decidedAt: Date?
    package let decidedBy: String?
    package let comment: String?

    package init(
        id: Int64,
        device: String,
        publicKeySHA256: [UInt8],
        kind: ApprovalRequest.Kind,
        state: ApprovalState,
        anchor: String?,
        credentialSHA256: [UInt8],
        credentialSubject: String?,
        source: String,
        requestedAt: Date,
        decidedAt: Date?,
        decidedBy: String?,
        comment: String?
    ) {
        self.id = id
        self.device = device
        self.publicKeySHA256 = publicKeySHA256
        self.kind = kind
        self.state = state
        self.anchor = anchor
        self.credentialSHA256 = credentialSHA256
        self.credentialSubject = credentialSubject
        self.source = source
        self.requestedAt = requestedAt
        self.decidedAt = decidedAt
        self.decidedBy = decidedBy
        self.comment = comment
    }
}
