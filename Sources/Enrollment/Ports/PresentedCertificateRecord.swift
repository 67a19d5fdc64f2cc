package import Foundation
package import PKI

/// What the record says of a certificate that a device shows to somebody else.
package protocol PresentedCertificateRecord: Sendable {
    /// Rises whenever what is said of a certificate may have changed.
    var changes: UInt64 { get }

    /// Whether what was said of a certificate after `changes` was read to be `then` is still so, as far as was noticed.
    func holds(_ certificate: PresentedCertificate, since then: UInt64) -> Bool

    /// - Parameter der: The certificate, which the record has octet for octet if Muster issued it.
    /// - Returns: Nil if Muster did not.
    func certificate(
        _ der: [UInt8],
        serialNumber: [UInt8]
    ) async throws(RecordError) -> PresentedCertificate?
}

/// A certificate that Muster issued, as it stands now.
package struct PresentedCertificate: Hashable, Sendable {
    package let device: DeviceID
    package let fleet: FleetName
    package let notBefore: Date
    package let notAfter: Date
    /// Why it is revoked or on hold; nil if it is neither.
    package let revoked: RevocationReason?
    /// False if the fleet trusts its issuer no more.
    package let isTrusted: Bool

    package init(
        device: DeviceID,
        fleet: FleetName,
        notBefore: Date,
        notAfter: Date,
        revoked: RevocationReason?,
        isTrusted: Bool
    ) {
        self.device = device
        self.fleet = fleet
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.revoked = revoked
        self.isTrusted = isTrusted
    }
}
