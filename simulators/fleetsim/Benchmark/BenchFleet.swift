import Crypto
import EST
import Foundation
import NIOCore
import NIOSSL
import SwiftASN1
import X509

/// The devices of a measurement. All that they need is made before the clock starts: keys, IDevIDs, requests, and what
/// TLS holds of each.
struct BenchFleet: Sendable {
    /// One connection to play: whose, and what is sent on it.
    struct Connection: Sendable {
        /// TLS with that device's credential.
        let context: NIOSSLContext
        /// Whole HTTP requests.
        let requests: [ByteBuffer]
    }

    /// Certificate chain and key of a device, in DER.
    struct Credential: Sendable {
        let chain: [[UInt8]]
        let key: [UInt8]
    }

    /// DeviceIDs of measurements, as a range of their index: from the first to the end, which is none of them.
    static let prefixFirst = "bench-"
    static let prefixEnd = "bench."

    /// Kept connections hold one claim; of fresh ones each has a context of its own.
    private let claimContext: NIOSSLContext?
    private let manufacturer: BenchManufacturer
    private let root: NIOSSLCertificate
    private let mode: BenchMode
    private let path: String
    private let hostField: String
    private let prefix: String

    init(_ file: DevFile, label: ESTLabel, mode: BenchMode) throws {
        self.mode = mode
        let rootPEM = try PEMDocument(pemString: DevFile.text(of: file.files.root, named: "root"))
        root = try NIOSSLCertificate(bytes: rootPEM.derBytes, format: .der)
        manufacturer = try BenchManufacturer(
            certificate: DevFile.text(of: file.files.manufacturerCert, named: "manufacturerCert"),
            key: DevFile.text(of: file.files.manufacturerKey, named: "manufacturerKey")
        )
        let endpoint = try LoopbackEndpoint(url: file.urls.est)
        hostField = endpoint.hostField
        path = ESTPath.path(of: .simpleenroll, label: label)
        prefix = "\(Self.prefixFirst)\(UInt32.random(in: .min ... .max))"
        claimContext =
            switch mode {
            case .fresh: nil
            case .kept:
                try Self.context(
                    root: root,
                    chain: NIOSSLCertificate.fromPEMBytes(
                        Array(DevFile.text(of: file.files.claimCert, named: "claimCert").utf8)
                    ),
                    key: NIOSSLPrivateKey(
                        bytes: Array(DevFile.text(of: file.files.claimKey, named: "claimKey").utf8),
                        format: .pem
                    )
                )
            }
    }

    /// Connections with that many enrollments of as many devices.
    func makeConnections(enrollments: Int) throws -> [Connection] {
        let each = mode.requestsPerConnection
        return try stride(from: 0, to: enrollments, by: each).map { first in
            let devices = (first..<min(first + each, enrollments)).map { "\(prefix)-\($0)" }
            return Connection(
                context: try context(of: devices[0]),
                requests: try devices.map { try request($0, isLast: $0 == devices.last) }
            )
        }
    }

    /// That many connections with one enrollment each, after which they stay open.
    func makeHeldConnections(_ count: Int) throws -> [Connection] {
        try (0..<count).map { number in
            let device = "\(prefix)-held-\(number)"
            return Connection(
                context: try context(of: device),
                requests: [try request(device, isLast: false)]
            )
        }
    }

    /// Bodies of requests of that many devices, each one line.
    func makeBodies(_ count: Int) throws -> [[UInt8]] {
        try (0..<count).map { try body("\(prefix)-\($0)").filter { $0 != UInt8(ascii: "\n") } }
    }

    private func context(of device: String) throws -> NIOSSLContext {
        if let claimContext { return claimContext }
        let credential = try manufacturer.credential(of: device)
        return try Self.context(
            root: root,
            chain: credential.chain.map { try NIOSSLCertificate(bytes: $0, format: .der) },
            key: NIOSSLPrivateKey(bytes: credential.key, format: .der)
        )
    }

    private func request(_ device: String, isLast: Bool) throws -> ByteBuffer {
        let body = try body(device)
        var buffer = ByteBuffer()
        buffer.writeString("POST \(path) HTTP/1.1\r\nHost: \(hostField)\r\nContent-Type: application/pkcs10\r\n")
        if isLast { buffer.writeString("Connection: close\r\n") }
        buffer.writeString("Content-Length: \(body.count)\r\n\r\n")
        buffer.writeBytes(body)
        return buffer
    }

    private func body(_ device: String) throws -> [UInt8] {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey.quick())
        let identity: IdentityKind = mode == .fresh ? .idevid : .claim
        return Base64Body.encode(try DeviceName.request(device, identity: identity, key: key))
    }

    private static func context(
        root: NIOSSLCertificate,
        chain: [NIOSSLCertificate],
        key: NIOSSLPrivateKey
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.trustRoots = .certificates([root])
        configuration.certificateChain = chain.map { .certificate($0) }
        configuration.privateKey = .privateKey(key)
        configuration.curves = [.x25519]
        return try NIOSSLContext(configuration: configuration)
    }
}

/// A manufacturer as most are: its CA signs one for a product line, and that one signs the devices' IDevIDs, so that a
/// server has two signatures of each chain to verify.
struct BenchManufacturer: Sendable {
    private let line: Certificate
    private let lineDER: [UInt8]
    private let lineKey: P256.Signing.PrivateKey

    init(certificate: String, key: String) throws {
        let authority = try Certificate(pemEncoded: certificate)
        let lineKey = P256.Signing.PrivateKey.quick()
        line = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(lineKey.publicKey),
            notValidBefore: authority.notValidBefore,
            notValidAfter: authority.notValidAfter,
            issuer: authority.subject,
            subject: DistinguishedName([DeviceName.commonName("Benchmark Product Line CA")]),
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
                SubjectKeyIdentifier(hash: Certificate.PublicKey(lineKey.publicKey))
                if let identifier = try authority.extensions.subjectKeyIdentifier {
                    AuthorityKeyIdentifier(keyIdentifier: identifier.keyIdentifier)
                }
            },
            issuerPrivateKey: Certificate.PrivateKey(pemEncoded: key)
        )
        lineDER = try Self.der(line)
        self.lineKey = lineKey
    }

    /// A new IDevID with its chain and key.
    func credential(of device: String) throws -> BenchFleet.Credential {
        let key = P256.Signing.PrivateKey.quick()
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: line.notValidBefore,
            notValidAfter: line.notValidAfter,
            issuer: line.subject,
            subject: DistinguishedName([DeviceName.commonName(device), DeviceName.serialNumber(device)]),
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                AuthorityKeyIdentifier(
                    keyIdentifier: SubjectKeyIdentifier(hash: Certificate.PublicKey(lineKey.publicKey)).keyIdentifier
                )
            },
            issuerPrivateKey: Certificate.PrivateKey(lineKey)
        )
        return BenchFleet.Credential(chain: [try Self.der(certificate), lineDER], key: Array(key.derRepresentation))
    }

    private static func der(_ certificate: Certificate) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }
}
