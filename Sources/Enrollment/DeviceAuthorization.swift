import Crypto
package import Foundation
import PKI
import Synchronization

/// Whether a device that shows a certificate somewhere else is to be let in there.
package struct DeviceVerdict: Hashable, Sendable {
    /// Why a device is not let in.
    package enum Denial: String, CaseIterable, Hashable, Sendable {
        /// What was shown is no certificate.
        case unreadable
        /// Muster did not issue it.
        case unknown
        case notYetValid = "not-yet-valid"
        case expired
        case revoked
        case onHold = "on-hold"
        /// The fleet trusts its issuer no more.
        case untrustedIssuer = "untrusted-issuer"

        /// For people.
        package var explanation: String {
            switch self {
            case .unreadable: "what was shown is not one X.509 certificate in PEM or DER"
            case .unknown: "this certificate was not issued here"
            case .notYetValid: "the certificate is not valid yet; compare the clocks"
            case .expired: "the certificate has expired; the device has to renew"
            case .revoked: "the certificate is revoked"
            case .onHold: "the certificate is on hold until an operator releases the device"
            case .untrustedIssuer: "the device's fleet does not trust the certificate's issuer any more"
            }
        }
    }

    /// Nil: it is let in.
    package let denial: Denial?
    /// Whose certificate it is; nil if Muster did not issue it.
    package let certificate: PresentedCertificate?

    /// Of a device that showed nothing that can be read.
    package static let unreadable = DeviceVerdict(denial: .unreadable, certificate: nil)

    package var isAllowed: Bool { denial == nil }
}

/// Judges certificates that devices show to gateways. A judgement is kept until the record says something else of the device,
/// and no longer than `keptMax`; the certificate's own dates are looked at each time.
package final class DeviceAuthorization: Sendable {
    /// The most octets of a certificate.
    package static let octetsMax = 16 * 1024

    /// How long a judgement is kept at most, in case a change went unnoticed; half as long at least, so that what was asked
    /// together is not asked together again.
    package static let keptMax: Duration = .seconds(60)

    private struct Kept {
        let certificate: PresentedCertificate
        let changes: UInt64
        let until: ContinuousClock.Instant
    }

    private let record: any PresentedCertificateRecord
    private let keptMax: Duration
    private let kept = Mutex(BoundedCache<[UInt8], Kept>())

    package init(record: any PresentedCertificateRecord, keptMax: Duration = DeviceAuthorization.keptMax) {
        self.record = record
        self.keptMax = keptMax
    }

    /// Judges a certificate. That who shows it holds its key is the gateway's to know: it ended the TLS.
    /// - Parameter der: As it was shown.
    package func verdict(on der: [UInt8], at now: Date) async throws(RecordError) -> DeviceVerdict {
        guard der.count <= Self.octetsMax else { return .unreadable }
        let name = [UInt8](SHA256.hash(data: der))
        // Before the record is asked: what changes meanwhile is asked about again.
        let changes = record.changes
        if let known = kept.withLock({ $0[name] }), known.until > .now,
            record.holds(known.certificate, since: known.changes)
        {
            return Self.verdict(on: known.certificate, at: now)
        }
        guard let serialNumber = SerialNumber.of(certificate: der) else { return .unreadable }
        let found = try await record.certificate(der, serialNumber: serialNumber)
        // One that is unknown may be issued the next moment.
        if let found {
            let until = ContinuousClock.now + keptMax * Double.random(in: 0.5...1)
            kept.withLock { $0[name] = Kept(certificate: found, changes: changes, until: until) }
        }
        return Self.verdict(on: found, at: now)
    }

    private static func verdict(on certificate: PresentedCertificate?, at now: Date) -> DeviceVerdict {
        DeviceVerdict(denial: denial(of: certificate, at: now), certificate: certificate)
    }

    private static func denial(of certificate: PresentedCertificate?, at now: Date) -> DeviceVerdict.Denial? {
        guard let certificate else { return .unknown }
        if let reason = certificate.revoked { return reason.isHold ? .onHold : .revoked }
        if now < certificate.notBefore { return .notYetValid }
        if now > certificate.notAfter { return .expired }
        return certificate.isTrusted ? nil : .untrustedIssuer
    }
}
