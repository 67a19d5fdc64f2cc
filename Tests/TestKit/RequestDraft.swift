import SwiftASN1
package import X509

/// A PKCS#10 request as a test wants it.
package struct RequestDraft: Sendable {
    package var subject: DistinguishedName
    package var key: DeviceKey
    /// The subject alternative names asked for; nil asks for none.
    package var names: [GeneralName]?
    /// Asks for basicConstraints CA:TRUE.
    package var asksForAuthority = false

    package init(_ key: DeviceKey, subject: DistinguishedName = .empty, names: [GeneralName]? = nil) {
        self.key = key
        self.subject = subject
        self.names = names
    }

    /// DER, signed by its own key.
    package func der() throws -> [UInt8] {
        var extensions: [Certificate.Extension] = []
        if let names {
            extensions.append(try Certificate.Extension(SubjectAlternativeNames(names), critical: false))
        }
        if asksForAuthority {
            extensions.append(
                try Certificate.Extension(BasicConstraints.isCertificateAuthority(maxPathLength: nil), critical: true)
            )
        }
        let request = try CertificateSigningRequest(
            version: .v1,
            subject: subject,
            privateKey: key.privateKey,
            attributes: extensions.isEmpty
                ? CertificateSigningRequest.Attributes()
                : CertificateSigningRequest.Attributes([
                    .init(ExtensionRequest(extensions: Certificate.Extensions(extensions)))
                ])
        )
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }
}
