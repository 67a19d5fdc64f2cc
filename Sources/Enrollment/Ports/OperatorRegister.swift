package import Foundation

/// Who may use the operator front by a certificate. Every change is one transaction with its audit entry.
package protocol OperatorRegister: Sendable {
    /// All, also those that were removed, by name.
    func operators() async throws(RecordError) -> [OperatorEntry]

    /// The holder of a certificate (SHA-256 of its DER), unless removed.
    func holder(ofCertificate sha256: [UInt8]) async throws(RecordError) -> OperatorEntry?

    /// Adds an operator, or gives one that is there another certificate and this role. One that was removed is back.
    func add(
        _ name: String,
        role: OperatorRole,
        certificateSHA256: [UInt8],
        notAfter: Date,
        actor: String,
        at: Date
    ) async throws(RecordError)

    /// Takes every right at once; from the next request on, also on open connections.
    /// - Returns: False if there is no such operator.
    func remove(_ name: String, actor: String, at: Date) async throws(RecordError) -> Bool
}

/// What an operator may do; each role may do what those before it may.
package enum OperatorRole: String, CaseIterable, Hashable, Sendable, Comparable {
    /// Asks whether devices are to be let in, and nothing else.
    case gateway
    /// Reads.
    case viewer
    /// Decides on devices and credentials.
    case `operator`
    /// Decides on fleets and operators.
    case admin

    package static func < (left: OperatorRole, right: OperatorRole) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .gateway: 0
        case .viewer: 1
        case .operator: 2
        case .admin: 3
        }
    }
}

/// An operator in the record.
package struct OperatorEntry: Hashable, Sendable {
    package let name: String
    package let role: OperatorRole
    package let createdAt: Date
    package let createdBy: String
    package let removedAt: Date?
    /// The end of the newest certificate.
    package let notAfter: Date?

    package init(
        name: String,
        role: OperatorRole,
        createdAt: Date,
        createdBy: String,
        removedAt: Date?,
        notAfter: Date?
    ) {
        self.name = name
        self.role = role
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.removedAt = removedAt
        self.notAfter = notAfter
    }
}
