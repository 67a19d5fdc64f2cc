package import Foundation
package import PKI

/// Devices and their certificates, as operators look them up.
package protocol DeviceRegister: Sendable {
    /// The record's key of a fleet, or nil.
    func fleet(_ name: FleetName) async throws(RecordError) -> FleetID?

    /// One page, in the selection's order.
    func devices(
        of fleet: FleetID,
        _ selection: DeviceSelection,
        after: DevicePosition?,
        limit: Int
    ) async throws(RecordError) -> [DeviceEntry]

    func device(_ device: DeviceID, of fleet: FleetID) async throws(RecordError) -> DeviceEntry?

    /// Every certificate of a device, newest first.
    func certificates(
        of device: DeviceID,
        fleet: FleetID,
        limit: Int
    ) async throws(RecordError) -> [CertificateEntry]
}

/// Which devices. Each selection has an index of its own, so that a page costs the same among ten million devices.
package enum DeviceSelection: Hashable, Sendable {
    /// By name; with a prefix, those that begin so.
    case named(prefix: String)
    /// By the time of their first enrollment, newest first: from (inclusive), until (exclusive).
    case enrolled(from: Date?, until: Date?)
    /// By the end of their present certificate, soonest first: from (inclusive), until (exclusive).
    case expiring(from: Date?, until: Date?)
    /// Those that a bootstrap credential let in first, by name.
    case credential([UInt8])
    /// The one that a public key (SHA-256 of its SubjectPublicKeyInfo) belongs to.
    case key([UInt8])
    /// The one that a certificate of this serial number was issued to.
    case serialNumber([UInt8])
}

/// Where a page ended. `time` is the one that the selection sorts by.
package struct DevicePosition: Hashable, Sendable {
    package let time: Date?
    package let device: String

    package init(time: Date?, device: String) {
        self.time = time
        self.device = device
    }
}

/// A device in the record.
package struct DeviceEntry: Hashable, Sendable {
    package let device: String
    package let firstEnrolledAt: Date
    /// When its present certificate was issued.
    package let enrolledAt: Date
    package let issuer: String
    package let serialNumber: [UInt8]
    package let publicKeySHA256: [UInt8]
    package let notAfter: Date
    package let isRevoked: Bool
    /// When the present certificate was first seen in use.
    package let usedAt: Date?
    /// Name of the anchor that let it in first, and the credential.
    package let firstAnchor: String?
    package let firstCredentialSHA256: [UInt8]?
    package let trustStoreVersion: Int64?
    package let trustStoreAcknowledgedAt: Date?
    /// Nil if operators neither revoked it nor put it on hold, or have cleared it since.
    package let revocation: RevocationEntry?

    package init(
        device: String,
        firstEnrolledAt: Date,
        enrolledAt: Date,
        issuer: String,
        serialNumber: [UInt8],
        publicKeySHA256: [UInt8],
        notAfter: Date,
        isRevoked: Bool,
        usedAt: Date?,
        firstAnchor: String?,
        firstCredentialSHA256: [UInt8]?,
        trustStoreVersion: Int64?,
        trustStoreAcknowledgedAt: Date?,
        revocation: RevocationEntry? = nil
    ) {
        self.revocation = revocation
        self.device = device
        self.firstEnrolledAt = firstEnrolledAt
        self.enrolledAt = enrolledAt
        self.issuer = issuer
        self.serialNumber = serialNumber
        self.publicKeySHA256 = publicKeySHA256
        self.notAfter = notAfter
        self.isRevoked = isRevoked
        self.usedAt = usedAt
        self.firstAnchor = firstAnchor
        self.firstCredentialSHA256 = firstCredentialSHA256
        self.trustStoreVersion = trustStoreVersion
        self.trustStoreAcknowledgedAt = trustStoreAcknowledgedAt
    }

    /// The last that was heard of it: it was given its present certificate, used that first, or acknowledged a trust store.
    package var seenAt: Date { [usedAt, trustStoreAcknowledgedAt].compactMap(\.self).reduce(enrolledAt, max) }
}

/// A certificate in the record.
package struct CertificateEntry: Hashable, Sendable {
    package let issuer: String
    package let serialNumber: [UInt8]
    package let publicKeySHA256: [UInt8]
    package let notBefore: Date
    package let notAfter: Date
    package let issuedAt: Date
    /// `valid`, `superseded` or `revoked`.
    package let status: String
    package let der: [UInt8]

    package init(
        issuer: String,
        serialNumber: [UInt8],
        publicKeySHA256: [UInt8],
        notBefore: Date,
        notAfter: Date,
        issuedAt: Date,
        status: String,
        der: [UInt8]
    ) {
        self.issuer = issuer
        self.serialNumber = serialNumber
        self.publicKeySHA256 = publicKeySHA256
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.issuedAt = issuedAt
        self.status = status
        self.der = der
    }
}
