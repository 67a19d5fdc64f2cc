package import Foundation
package import PKI

/// What the record says of certificates to whoever is asked about them.
package protocol CertificateStatusRecord: Sendable {
    /// Rises whenever a certificate's status may have changed since: what was read before that is to be read again.
    var changes: UInt64 { get }

    /// The status of an issuer's certificates, in the order of `serialNumbers`; unknown where it issued none.
    func statuses(of serialNumbers: [[UInt8]], issuer: Issuer) async throws(RecordError) -> [OCSPStatus]

    /// The same, for an answer that is signed with them, and the time that it is signed with: `time`, or the latest that
    /// any server ever had from here, if that is later. It is in the record when this returns, so that nothing that
    /// happens to a server or its clock takes it back; and the statuses were read after it.
    func statuses(
        of serialNumbers: [[UInt8]],
        issuer: Issuer,
        toSignAt time: Date
    ) async throws(RecordError) -> (statuses: [OCSPStatus], time: Date)

    /// Writes down that the issuer has certified a responder's key; nothing is answered with it before.
    func recordResponder(_ responder: OCSPResponder, issuer: Issuer) async throws(RecordError)
}
