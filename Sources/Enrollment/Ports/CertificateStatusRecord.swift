package import PKI

/// What the record says of certificates to whoever is asked about them.
package protocol CertificateStatusRecord: Sendable {
    /// Rises whenever a certificate's status may have changed since: what was read before that is to be read again.
    var changes: UInt64 { get }

    /// The status of an issuer's certificates, in the order of `serialNumbers`; unknown where it issued none.
    func statuses(of serialNumbers: [[UInt8]], issuer: Issuer) async throws(RecordError) -> [OCSPStatus]

    /// Writes down that the issuer has certified a responder's key; nothing is answered with it before.
    func recordResponder(_ responder: OCSPResponder, issuer: Issuer) async throws(RecordError)
}
