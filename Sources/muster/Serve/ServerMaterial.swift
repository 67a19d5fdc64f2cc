import Foundation
import Logging
import NIOSSL
import OpenSSL
import PKI
import SwiftASN1
import X509

/// What a server reads from files before it serves: keys and certificates, each checked against the other.
enum ServerMaterial {
    /// A PEM file larger than this holds no chain.
    private static let fileOctetsMax = 1 << 20

    /// A file that cannot be used, and why.
    struct Problem: Error, CustomStringConvertible {
        let key: String
        let path: String
        let why: String
        var description: String { "\(key): \(path): \(why)" }
    }

    /// The issuers with their keys.
    static func issuers(_ configurations: [ServerConfiguration.Issuer]) throws -> [Issuer] {
        try configurations.enumerated().map { index, configuration in
            let chain = try chain(configuration.certificateFile, key: "issuers.\(index).certificateFile")
            let key = try open(
                configuration.key,
                passphraseFile: configuration.passphraseFile,
                key: "issuers.\(index).keyFile"
            )
            do {
                return try Issuer(
                    name: configuration.name,
                    chain: chain,
                    key: key,
                    crlShards: configuration.crlShards
                )
            } catch {
                throw Problem(
                    key: "issuers.\(index).keyFile",
                    path: configuration.key.text,
                    why: "it is not the key of \(configuration.certificateFile)"
                )
            }
        }
    }

    /// Who signs trust stores.
    static func trustStoreSigner(_ configuration: ServerConfiguration.TrustStore) throws -> TrustStoreSigner {
        let certificates = try certificates(
            configuration.signerCertificateFile,
            key: "trustStore.signerCertificateFile"
        )
        let key = try open(
            configuration.signerKey,
            passphraseFile: configuration.passphraseFile,
            key: "trustStore.signerKeyFile"
        )
        do {
            return try TrustStoreSigner(key: key, chain: certificates)
        } catch {
            throw Problem(
                key: "trustStore.signerKeyFile",
                path: configuration.signerKey.text,
                why: "it is not the key of \(configuration.signerCertificateFile)"
            )
        }
    }

    /// The CA of operators' certificates, with its key.
    static func operatorCA(
        _ configuration: ServerConfiguration.OperatorFront
    ) throws -> (certificate: [UInt8], key: PrivateKey) {
        let certificates = try certificates(configuration.caCertificateFile, key: "operator.caCertificateFile")
        let key = try open(
            configuration.caKey,
            passphraseFile: configuration.passphraseFile,
            key: "operator.caKeyFile"
        )
        guard let first = certificates.first, try key.matches(certificate: first) else {
            throw Problem(
                key: "operator.caKeyFile",
                path: configuration.caKey.text,
                why: "it is not the key of \(configuration.caCertificateFile)"
            )
        }
        return (first, key)
    }

    /// A TLS certificate with its chain, and its key.
    struct TLSIdentity: Sendable {
        let chain: [NIOSSLCertificate]
        let key: NIOSSLPrivateKey
    }

    /// A front's certificate and key; `section` is its section of the configuration.
    static func identity(certificateFile: String, keyFile: String, section: String) throws -> TLSIdentity {
        let chain = try certificates(certificateFile, key: "\(section).certificateFile")
        let key = try open(.file(keyFile), passphraseFile: nil, key: "\(section).keyFile")
        guard let first = chain.first, try key.matches(certificate: first) else {
            throw Problem(
                key: "\(section).keyFile",
                path: keyFile,
                why: "it is not the key of \(certificateFile)"
            )
        }
        return TLSIdentity(
            chain: try chain.map { try NIOSSLCertificate(bytes: $0, format: .der) },
            key: try NIOSSLPrivateKey(bytes: key.pem(passphrase: nil), format: .pem)
        )
    }

    /// SHA-256 of the front's own public key, which no device may hold (C-04).
    static func ownKeys(_ configuration: ServerConfiguration.EST) throws -> Set<[UInt8]> {
        let chain = try certificates(configuration.certificateFile, key: "est.certificateFile")
        return Set(try chain.map { try PublicKeyInfo.sha256(of: Certificate(derEncoded: $0).publicKey) })
    }

    /// A chain of CAs, linted.
    static func chain(_ path: String, key: String) throws -> CACertificateChain {
        do {
            return try CACertificateChain(pem: String(decoding: read(path, key: key), as: UTF8.self), now: Date())
        } catch let defect as ChainDefect {
            throw Problem(key: key, path: path, why: defect.description)
        }
    }

    /// The bytes of a file of bounded size.
    static func read(_ path: String, key: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Problem(key: key, path: path, why: "it cannot be read")
        }
        guard data.count <= fileOctetsMax else { throw Problem(key: key, path: path, why: "it is too large") }
        return [UInt8](data)
    }

    /// The bytes of a file that only its owner may read.
    static func secret(_ path: String, key: String) throws -> [UInt8] {
        do {
            return try SecretFile.read(path: path, octetsMax: fileOctetsMax)
        } catch {
            throw Problem(key: key, path: path, why: "\(error)")
        }
    }

    /// The first line of such a file: a passphrase or a password.
    static func firstLine(ofSecret path: String, key: String) throws -> [UInt8] {
        let line = try secret(path, key: key).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard !line.isEmpty else { throw Problem(key: key, path: path, why: "its first line is empty") }
        return Array(line)
    }

    /// A webhook's receiver with its secrets.
    /// - Parameter index: Its place in the configuration's list.
    static func webhookReceiver(
        _ webhook: ServerConfiguration.Webhook,
        index: Int,
        logger: Logger
    ) throws -> WebhookReceiver {
        let key = "webhooks.\(index).secretFile"
        let lines = String(decoding: try secret(webhook.secretFile, key: key), as: UTF8.self)
            .split(whereSeparator: \.isNewline).map(String.init)
        guard let signature = WebhookSignature(secrets: lines) else {
            throw Problem(
                key: key,
                path: webhook.secretFile,
                why: "it has not one or two lines of whsec_ and 24 to 64 bytes in base64; "
                    + "make one by: echo whsec_$(openssl rand -base64 32)"
            )
        }
        let anchors = try webhook.caFile.map { file in
            try certificates(file, key: "webhooks.\(index).caFile").map {
                try NIOSSLCertificate(bytes: $0, format: .der)
            }
        }
        return WebhookReceiver(
            name: webhook.name,
            url: webhook.url,
            signature: signature,
            anchors: anchors,
            logger: logger
        )
    }

    private static func certificates(_ path: String, key: String) throws -> [[UInt8]] {
        let text = String(decoding: try read(path, key: key), as: UTF8.self)
        let documents = (try? PEMDocument.parseMultiple(pemString: text)) ?? []
        let certificates = documents.filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
        guard !certificates.isEmpty else {
            throw Problem(key: key, path: path, why: "there is no PEM certificate in it")
        }
        return certificates.map { [UInt8]($0.derBytes) }
    }

    private static func open(_ location: KeyLocation, passphraseFile: String?, key: String) throws -> PrivateKey {
        let passphrase = try passphraseFile.map { try firstLine(ofSecret: $0, key: key) }
        do {
            return try PrivateKeyLocation(location.text).open(passphrase: passphrase)
        } catch {
            throw Problem(key: key, path: location.text, why: "\(error)")
        }
    }
}

extension KeyLocation {
    /// As it stands in a configuration.
    var text: String {
        switch self {
        case .file(let path): path
        case .pkcs11(let uri): uri
        }
    }
}
