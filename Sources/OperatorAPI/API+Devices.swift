package import Foundation

extension API {
    /// What a registration says: the body of a put, and, with `device`, a line of an import.
    package struct RegistrationPins: Codable, Hashable, Sendable {
        /// SHA-256 of the only public key (SubjectPublicKeyInfo, DER) that may enroll as the device.
        package var keySHA256: String?
        /// SHA-256 of the only IDevID (DER) that may enroll as the device.
        package var idevidSHA256: String?

        package init(keySHA256: String? = nil, idevidSHA256: String? = nil) {
            self.keySHA256 = keySHA256
            self.idevidSHA256 = idevidSHA256
        }
    }

    /// A line of an import: one JSON object a line (`application/x-ndjson`).
    package struct RegistrationLine: Codable, Hashable, Sendable {
        package var device: String
        package var keySHA256: String?
        package var idevidSHA256: String?

        package init(device: String, keySHA256: String? = nil, idevidSHA256: String? = nil) {
            self.device = device
            self.keySHA256 = keySHA256
            self.idevidSHA256 = idevidSHA256
        }
    }

    /// A registration as it stands.
    package struct Registration: Codable, Hashable, Sendable {
        package var device: String
        package var keySHA256: String?
        package var idevidSHA256: String?
        package var createdAt: Date
        package var changedAt: Date
        package var isEnrolled: Bool

        package init(
            device: String,
            keySHA256: String?,
            idevidSHA256: String?,
            createdAt: Date,
            changedAt: Date,
            isEnrolled: Bool
        ) {
            self.device = device
            self.keySHA256 = keySHA256
            self.idevidSHA256 = idevidSHA256
            self.createdAt = createdAt
            self.changedAt = changedAt
            self.isEnrolled = isEnrolled
        }
    }

    /// What an import did.
    package struct RegistrationCounts: Codable, Hashable, Sendable {
        package var added: Int64
        package var changed: Int64
        package var unchanged: Int64

        package init(added: Int64, changed: Int64, unchanged: Int64) {
            self.added = added
            self.changed = changed
            self.unchanged = unchanged
        }
    }

    /// A device that waits, or waited, for an operator's word.
    package struct Approval: Codable, Hashable, Sendable {
        package var id: Int64
        package var device: String
        package var keySHA256: String
        /// `first`, `key-change` or `reenrollment`.
        package var kind: String
        /// `pending`, `approved` or `rejected`.
        package var state: String
        package var anchor: String?
        package var credentialSHA256: String
        package var credentialSubject: String?
        package var source: String
        package var requestedAt: Date
        package var decidedAt: Date?
        package var decidedBy: String?
        package var comment: String?

        package init(
            id: Int64,
            device: String,
            keySHA256: String,
            kind: String,
            state: String,
            anchor: String?,
            credentialSHA256: String,
            credentialSubject: String?,
            source: String,
            requestedAt: Date,
            decidedAt: Date?,
            decidedBy: String?,
            comment: String?
        ) {
            self.id = id
            self.device = device
            self.keySHA256 = keySHA256
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

    /// A device that has enrolled.
    package struct Device: Codable, Hashable, Sendable {
        package var device: String
        /// `valid`, `expired`, `held`, `revoked`, or `cleared`: revoked, and free to enroll again.
        package var state: String
        package var firstEnrolledAt: Date
        package var enrolledAt: Date
        package var issuer: String
        package var serialNumber: String
        package var keySHA256: String
        package var notAfter: Date
        package var usedAt: Date?
        /// The last that was heard of it.
        package var seenAt: Date
        package var firstAnchor: String?
        package var firstCredentialSHA256: String?
        package var trustStoreVersion: Int64?
        package var trustStoreAcknowledgedAt: Date?
        /// Missing if it is neither on hold nor revoked.
        package var revocation: Revocation?

        package init(
            device: String,
            state: String,
            firstEnrolledAt: Date,
            enrolledAt: Date,
            issuer: String,
            serialNumber: String,
            keySHA256: String,
            notAfter: Date,
            usedAt: Date?,
            seenAt: Date,
            firstAnchor: String?,
            firstCredentialSHA256: String?,
            trustStoreVersion: Int64?,
            trustStoreAcknowledgedAt: Date?,
            revocation: Revocation?
        ) {
            self.revocation = revocation
            self.device = device
            self.state = state
            self.firstEnrolledAt = firstEnrolledAt
            self.enrolledAt = enrolledAt
            self.issuer = issuer
            self.serialNumber = serialNumber
            self.keySHA256 = keySHA256
            self.notAfter = notAfter
            self.usedAt = usedAt
            self.seenAt = seenAt
            self.firstAnchor = firstAnchor
            self.firstCredentialSHA256 = firstCredentialSHA256
            self.trustStoreVersion = trustStoreVersion
            self.trustStoreAcknowledgedAt = trustStoreAcknowledgedAt
        }
    }

    /// Why, when and by whom a device was revoked or put on hold.
    package struct Revocation: Codable, Hashable, Sendable {
        /// By the names of RFC 5280 section 5.3.1.
        package var reason: String
        /// Since when; stays the first time when the reason changes.
        package var at: Date
        package var by: String
        package var comment: String?

        package init(reason: String, at: Date, by: String, comment: String?) {
            self.reason = reason
            self.at = at
            self.by = by
            self.comment = comment
        }
    }

    /// To revoke a device.
    package struct RevocationOrder: Codable, Hashable, Sendable {
        /// The reason of what can be released.
        package static let hold = "certificateHold"
        /// The names of RFC 5280 section 5.3.1 that a device may have.
        package static let reasons = [
            "unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation", hold,
            "privilegeWithdrawn",
        ]

        /// `unspecified` if left out.
        package var reason: String?
        package var comment: String?

        package init(reason: String? = nil, comment: String? = nil) {
            self.reason = reason
            self.comment = comment
        }
    }

    /// A certificate that was issued.
    package struct Certificate: Codable, Hashable, Sendable {
        package var issuer: String
        package var serialNumber: String
        package var keySHA256: String
        package var notBefore: Date
        package var notAfter: Date
        package var issuedAt: Date
        /// `valid`, `superseded` or `revoked`.
        package var status: String
        package var pem: String

        package init(
            issuer: String,
            serialNumber: String,
            keySHA256: String,
            notBefore: Date,
            notAfter: Date,
            issuedAt: Date,
            status: String,
            pem: String
        ) {
            self.issuer = issuer
            self.serialNumber = serialNumber
            self.keySHA256 = keySHA256
            self.notBefore = notBefore
            self.notAfter = notAfter
            self.issuedAt = issuedAt
            self.status = status
            self.pem = pem
        }
    }
}
