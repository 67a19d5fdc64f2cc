package import Foundation
package import PKI

/// One enrollment try, accepted or not, as the record and the log keep it.
package struct Attempt: Sendable {
    package enum Operation: String, Hashable, Sendable {
        case simpleEnroll = "simpleenroll"
        case simpleReenroll = "simplereenroll"
    }

    package enum CredentialKind: String, CaseIterable, Hashable, Sendable {
        case idevid, claim, ldevid
    }

    package enum Outcome: String, CaseIterable, Hashable, Sendable {
        /// A certificate was issued.
        case issued
        /// The certificate issued before for the same key was sent again.
        case repeated
        /// It waits for an operator's word.
        case pending
        case refused
    }

    package let at: Date
    package let requestID: UUID
    package let fleet: FleetID
    package let fleetName: FleetName
    package let operation: Operation
    /// The peer's address, as text.
    package let source: String
    package var device: DeviceID?
    package var credentialKind: CredentialKind?
    package var credentialSHA256: [UInt8]?
    /// The credential's subject, cut to a bounded length.
    package var credentialSubject: String?
    package var anchor: AnchorID?
    package var publicKeySHA256: [UInt8]?
    package var stage: EnrollmentStage = .identity
    /// The rule that decided, by name.
    package var rule = ""
    package var outcome: Outcome = .refused
    package var refusal: Refusal?
    package var issuer: IssuerID?
    package var serialNumber: [UInt8]?

    static let subjectLengthMax = 256

    package init(
        at: Date,
        requestID: UUID,
        fleet: FleetID,
        fleetName: FleetName,
        operation: Operation,
        source: String
    ) {
        self.at = at
        self.requestID = requestID
        self.fleet = fleet
        self.fleetName = fleetName
        self.operation = operation
        self.source = source
    }
}
