import Crypto
import EST
import Foundation
import NIOCore
import NIOSSL
import SwiftASN1
import X509

/// The devices of a measurement. All that they need is made before the clock starts: keys, IDevIDs, requests.
struct BenchFleet: Sendable {
    /// One connection to play: whose, and what is sent on it.
    struct Connection: Sendable {
        let credential: Credential
        /// Whole HTTP requests.
        let requests: [ByteBuffer]
    }

    enum Credential: Sendable {
        /// Certificate chain and key, in DER.
        case own(chain: [[UInt8]], key: [UInt8])
        case shared
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
                credential: mode == .fresh ? try manufacturer.credential(of: devices[0]) : .shared,
                requests: try devices.map { try request($0, isLast: $0 == devices.last) }
            )
        }
    }

    /// That many connections with one enrollment each, after which they stay open.
    func makeHeldConnections(_ count: Int) throws -> [Connection] {
        try (0..<count).map { number in
            let device = "\(prefix)-held-\(number)"
            return Connection(
                credential: mode == .fresh ? try manufacturer.credential(of: device) : .shared,
                requests: [try request(device, isLast: false)]
            )
        }
    }

    /// Bodies of requests of that many devices, each one line.
    func makeBodies(_ count: Int) throws -> [[UInt8]] {
        try (0..<count).map { try body("\(prefix)-\($0)").filter { $0 != UInt8(ascii: "\n") } }
    }

    /// The TLS of a connection with that credential.
    func context(_ credential: Credential) throws -> NIOSSLContext {
        switch credential {
        case .own(let chain, let key):
            return try Self.context(
                root: root,
                chain: chain.map { try NIOSSLCertificate(bytes: $0, format: .der) },
                key: NIOSSLPrivateKey(bytes: key, format: .der)
            )
        case .shared:
            guard let claimContext else { throw SimulatorError.credential("there is no claim") }
            return claimContext
        }
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
        return .own(chain: [try Self.der(certificate), lineDER], key: Array(key.derRepresentation))
    }

    private static func der(_ certificate: Certificate) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }
}
