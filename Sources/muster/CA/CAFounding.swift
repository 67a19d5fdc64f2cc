import Crypto
import Foundation
import OpenSSL
import PKI
import SwiftASN1
import X509

/// The certificates and keys that `muster ca init` makes, before they are written.
struct CAFounding {
    static let rootName = "root.pem"
    static let rootKeyName = "root.key"
    static let issuingName = "issuing.pem"
    static let issuingKeyName = "issuing.key"
    static let trustStoreName = "truststore.pem"
    /// The issuer's name in the configuration.
    static let issuerName = "issuing"
    static let fileNames =
        [rootName, rootKeyName, issuingName, issuingKeyName] + CATrustStoreSigner.names + [trustStoreName]

    private let name: String
    private let algorithm: KeyAlgorithm
    private let rootKey: PrivateKey
    private let issuingKey: PrivateKey
    private let signer: CATrustStoreSigner
    /// Issuing CA first, root last; linted as an import's would be.
    private let chain: CACertificateChain

    /// Makes all keys, of the kind `algorithm`, and their certificates.
    init(name: String, organization: String, algorithm: KeyAlgorithm, now: Date) throws {
        self.name = name
        self.algorithm = algorithm
        rootKey = try PrivateKey.generate(algorithm)
        let root = try CertificateAuthority.selfSigned(
            commonName: name + " Root CA",
            organization: organization,
            key: rootKey,
            now: now
        )
        issuingKey = try PrivateKey.generate(algorithm)
        let issuing = try CertificateAuthority.signed(
            commonName: name + " Issuing CA",
            organization: organization,
            role: .issuing,
            publicKey: CertificateAuthority.publicKey(of: issuingKey),
            issuer: root,
            issuerKey: rootKey,
            now: now
        )
        signer = try CATrustStoreSigner(
            commonName: name + CATrustStoreSigner.nameSuffix,
            organization: organization,
            algorithm: algorithm,
            issuer: root,
            issuerKey: rootKey,
            now: now
        )
        chain = try CACertificateChain(der: [issuing, root], now: now)
    }

    /// All files, keys encrypted if there is a passphrase.
    func files(passphrase: [UInt8]?) throws -> [CAFolder.File] {
        let root = chain.der[chain.der.count - 1]
        return [
            .secret(Self.rootKeyName, try rootKey.pem(passphrase: passphrase)),
            .secret(Self.issuingKeyName, try issuingKey.pem(passphrase: passphrase)),
            .secret(CATrustStoreSigner.keyName, try signer.key.pem(passphrase: passphrase)),
            .open(Self.rootName, CAText.pem(root)),
            .open(Self.issuingName, chain.pem),
            .open(CATrustStoreSigner.certificateName, CAText.pem(signer.der)),
            .open(Self.trustStoreName, try TrustStore(chains: [chain]).pem),
        ]
    }

    /// One line a pair of files.
    var summary: [String] {
        [
            "  root.pem, root.key: \(name) Root CA, \(algorithm), valid until \(CAText.day(chain.root.notValidAfter))",
            "    SHA-256 \(CAText.fingerprint(chain.der[chain.der.count - 1]))",
            "  issuing.pem, issuing.key: \(name) Issuing CA, valid until \(CAText.day(chain.issuing.notValidAfter))",
            "  truststore-signer.pem, truststore-signer.key: \(name)\(CATrustStoreSigner.nameSuffix)",
            "  truststore.pem: what a gateway or broker that meets the devices is to trust",
        ]
    }
}

/// How certificates are shown to an operator, and written.
enum CAText {
    static func pem(_ der: [UInt8]) -> String {
        PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: der).pemString + "\n"
    }

    /// SHA-256, lower-case hexadecimal.
    static func fingerprint(_ der: [UInt8]) -> String { Hex.text(SHA256.hash(data: der)) }

    static func day(_ date: Date) -> String { date.formatted(.iso8601.year().month().day()) }
}
