package import Foundation
package import OpenSSL
import SwiftASN1
package import X509

/// Makes CA certificates: what `muster ca init` and `muster ca csr` do, without their files.
package enum CertificateAuthority {
    /// How long each certificate made here lives.
    package static let rootLifetime: Duration = .seconds(20 * 365 * 86_400)
    package static let issuingLifetime: Duration = .seconds(10 * 365 * 86_400)
    /// CA certificates are backdated for clocks that lag, as device certificates are.
    package static let backdating: Duration = .seconds(3_600)

    /// What a certificate made here is for; decides extensions and lifetime.
    package enum Role: Sendable {
        /// A self-signed root.
        case root
        /// An intermediate that issues device certificates and nothing below (pathlen 0, X-08).
        case issuing
        /// A CA whose certificates Muster only accepts: a manufacturer's, or one for claim certificates.
        case bootstrapAnchor
        /// Signs trust stores, and does nothing else.
        case trustStoreSigner
        /// A TLS server with these DNS names and IP addresses.
        case tlsServer(dnsNames: [String], addresses: [[UInt8]])
        /// A TLS client.
        case tlsClient
        /// Signs OCSP answers for its issuer, and does nothing else (RFC 6960 section 4.2.2.2).
        case ocspResponder
    }

    /// A self-signed certificate for `key`.
    package static func selfSigned(
        commonName: String,
        organization: String,
        role: Role = .root,
        key: PrivateKey,
        now: Date
    ) throws -> [UInt8] {
        let signer = try SigningKey(key)
        return try sign(
            subject: name(commonName: commonName, organization: organization),
            publicKey: signer.publicKey,
            role: role,
            issuer: nil,
            issuerKey: signer,
            lifetime: rootLifetime,
            now: now
        )
    }

    /// A certificate for `publicKey` under the CA `issuer`, clamped to its validity.
    package static func signed(
        commonName: String,
        organization: String,
        role: Role,
        publicKey: Certificate.PublicKey,
        issuer: [UInt8],
        issuerKey: PrivateKey,
        lifetime: Duration = issuingLifetime,
        now: Date
    ) throws -> [UInt8] {
        try sign(
            subject: name(commonName: commonName, organization: organization),
            publicKey: publicKey,
            role: role,
            issuer: Certificate(derEncoded: issuer),
            issuerKey: SigningKey(issuerKey),
            lifetime: lifetime,
            now: now
        )
    }

    /// A certification request for a CA that is elsewhere to sign (`muster ca csr`): it asks for what an issuing CA
    /// needs, and the CA that signs decides.
    package static func request(commonName: String, organization: String, key: PrivateKey) throws -> [UInt8] {
        let signer = try SigningKey(key)
        let wanted = try Certificate.Extensions([
            Certificate.Extension(BasicConstraints.isCertificateAuthority(maxPathLength: 0), critical: true),
            Certificate.Extension(KeyUsage(keyCertSign: true, cRLSign: true), critical: true),
        ])
        let request = try CertificateSigningRequest(
            version: .v1,
            subject: name(commonName: commonName, organization: organization),
            privateKey: Certificate.PrivateKey(signer),
            attributes: CertificateSigningRequest.Attributes([.init(ExtensionRequest(extensions: wanted))]),
            signatureAlgorithm: signer.defaultSignatureAlgorithm
        )
        return try request.octets()
    }

    /// The public half of `key` as swift-certificates has it.
    package static func publicKey(of key: PrivateKey) throws -> Certificate.PublicKey {
        try Certificate.PublicKey(derEncoded: key.subjectPublicKeyInfo)
    }

    private static func name(commonName: String, organization: String) -> DistinguishedName {
        DistinguishedName([
            RelativeDistinguishedName(.init(type: .RDNAttributeType.organizationName, utf8String: organization)),
            RelativeDistinguishedName(.init(type: .RDNAttributeType.commonName, utf8String: commonName)),
        ])
    }

    private static func sign(
        subject: DistinguishedName,
        publicKey: Certificate.PublicKey,
        role: Role,
        issuer: Certificate?,
        issuerKey: SigningKey,
        lifetime: Duration,
        now: Date
    ) throws -> [UInt8] {
        let second = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down))
        let begins = second.addingTimeInterval(-backdating.inSeconds)
        let ends = second.addingTimeInterval(lifetime.inSeconds)
        let identifier =
            try issuer?.extensions.subjectKeyIdentifier ?? PublicKeyInfo.subjectKeyIdentifier(of: issuerKey.publicKey)
        var extensions = try self.extensions(role)
        extensions.append(
            try Certificate.Extension(PublicKeyInfo.subjectKeyIdentifier(of: publicKey), critical: false)
        )
        if issuer != nil {
            extensions.append(
                try Certificate.Extension(
                    AuthorityKeyIdentifier(keyIdentifier: identifier.keyIdentifier),
                    critical: false
                )
            )
        }
        let certificate = try Certificate(
            version: .v3,
            serialNumber: SerialNumber.make(milliseconds: UInt64(max(0, now.timeIntervalSince1970 * 1000))),
            publicKey: publicKey,
            notValidBefore: issuer.map { max(begins, $0.notValidBefore) } ?? begins,
            notValidAfter: issuer.map { min(ends, $0.notValidAfter) } ?? ends,
            issuer: issuer?.subject ?? subject,
            subject: subject,
            signatureAlgorithm: issuerKey.defaultSignatureAlgorithm,
            extensions: Certificate.Extensions(extensions),
            issuerPrivateKey: Certificate.PrivateKey(issuerKey)
        )
        guard issuerKey.publicKey.isValidSignature(certificate.signature, for: certificate) else {
            throw SigningError.faulty
        }
        return try certificate.octets()
    }

    private static func extensions(_ role: Role) throws -> [Certificate.Extension] {
        switch role {
        case .root, .bootstrapAnchor:
            [
                try Certificate.Extension(BasicConstraints.isCertificateAuthority(maxPathLength: nil), critical: true),
                try Certificate.Extension(KeyUsage(keyCertSign: true, cRLSign: true), critical: true),
            ]
        case .issuing:
            [
                try Certificate.Extension(BasicConstraints.isCertificateAuthority(maxPathLength: 0), critical: true),
                try Certificate.Extension(KeyUsage(keyCertSign: true, cRLSign: true), critical: true),
            ]
        case .trustStoreSigner:
            [
                try Certificate.Extension(KeyUsage(digitalSignature: true), critical: true),
                try Certificate.Extension(
                    ExtendedKeyUsage([ExtendedKeyUsage.Usage(oid: TrustStoreSigner.purpose)]),
                    critical: false
                ),
            ]
        case .tlsServer(let dnsNames, let addresses):
            [
                try Certificate.Extension(KeyUsage(digitalSignature: true), critical: true),
                try Certificate.Extension(ExtendedKeyUsage([.serverAuth]), critical: false),
                try Certificate.Extension(
                    SubjectAlternativeNames(
                        dnsNames.map { .dnsName($0) }
                            + addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) }
                    ),
                    critical: false
                ),
            ]
        case .tlsClient:
            [
                try Certificate.Extension(KeyUsage(digitalSignature: true), critical: true),
                try Certificate.Extension(ExtendedKeyUsage([.clientAuth]), critical: false),
            ]
        case .ocspResponder:
            [
                try Certificate.Extension(KeyUsage(digitalSignature: true), critical: true),
                try Certificate.Extension(ExtendedKeyUsage([.ocspSigning]), critical: false),
                // id-pkix-ocsp-nocheck, NULL: nobody can be asked about who answers (section 4.2.2.2.1).
                Certificate.Extension(oid: [1, 3, 6, 1, 5, 5, 7, 48, 1, 5], critical: false, value: [0x05, 0x00]),
            ]
        }
    }
}
