import PKI
import X509

/// Compares what a request asks to be called with who its sender is. The identity decides; the request is never copied
/// (C-02, C-03).
enum RequestNames {
    /// The request of a bootstrap credential's holder: it may leave names out, but may not name another device.
    static func refusal(
        _ request: VerifiedRequest,
        names: DeviceNames,
        bootstrap identity: BootstrapIdentity,
        profile: CertificateProfile
    ) -> Refusal? {
        if let refusal = authority(request) { return refusal }
        if !request.subject.matches(identity.subject) {
            if request.subject.hasCommonName {
                let accepted = [names.device.text, names.commonName, identity.subject.commonName]
                guard let name = request.subject.commonName, accepted.contains(name) else {
                    return Refusal(
                        .subjectMismatch,
                        "the request's common name is not the device's: use \(names.device), or none"
                    )
                }
            }
            if request.subject.hasSerialNumberAttribute {
                let accepted = [names.device.text, identity.subject.serialNumberAttribute]
                guard let number = request.subject.serialNumberAttribute, accepted.contains(number) else {
                    return Refusal(
                        .subjectMismatch,
                        "the request's serialNumber is not the device's: use \(names.device), or none"
                    )
                }
            }
        }
        let own = GeneralName.uniformResourceIdentifier(names.spiffeID(profile))
        guard request.names.allSatisfy({ $0 == own }) else {
            return Refusal(
                .namesNotAllowed,
                "the request asks for alternative names; only \(names.spiffeID(profile)) may be asked for"
            )
        }
        return nil
    }

    /// A renewal: subject and alternative names are those of the certificate being renewed (RFC 7030 section 4.2.2,
    /// EST-32).
    static func refusal(_ request: VerifiedRequest, renewing certificate: Certificate) -> Refusal? {
        if let refusal = authority(request) { return refusal }
        guard request.subject.matches(certificate.subject) else {
            return Refusal(
                .subjectMismatch,
                "the request's subject must be that of the certificate being renewed: \(certificate.subject)"
            )
        }
        let present = (try? certificate.extensions.subjectAlternativeNames).map { Set($0) } ?? []
        guard Set(request.names) == present, request.names.count == present.count else {
            return Refusal(
                .namesNotAllowed,
                "the request's subjectAltName must be that of the certificate being renewed"
            )
        }
        return nil
    }

    private static func authority(_ request: VerifiedRequest) -> Refusal? {
        guard request.asksForAuthority else { return nil }
        return Refusal(
            .authorityRequested,
            "the request asks to be a CA (basicConstraints, keyCertSign or cRLSign); devices are never CAs"
        )
    }
}
