import AsyncHTTPClient
import Crypto
import EST
import Foundation
import LocalServers
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import SwiftASN1
import X509

/// The agent beside the broker of `muster dev`: the same as `muster agent`, from a configuration file that stands in the
/// folder for all to see, and enrolled over EST as a device of the fleet.
struct DevAgent: Sendable {
    /// Where all of it lies: `agent` below the folder of `muster dev`.
    private let folder: String
    private let directory: String
    private let fleet: String
    private let ports: DevPorts
    private let pki: DevPKI
    private let log: ServerConfiguration.Log

    static let device = "dev-agent"
    /// Lists of CAs that the server does not sign for. The development PKI ends before.
    private static let anchorListLifetime: TimeInterval = 20 * 365 * 86_400
    /// Until the agent has the server's own.
    private static let firstListLifetime: TimeInterval = 86_400
    private static let answerOctetsMax = 1 << 18
    private static let timeout: TimeAmount = .seconds(30)

    init(directory: String, fleet: String, ports: DevPorts, pki: DevPKI, log: ServerConfiguration.Log) {
        self.directory = directory
        folder = directory + "/agent"
        self.fleet = fleet
        self.ports = ports
        self.pki = pki
        self.log = log
    }

    /// The common name of its certificate.
    var name: String { "\(Self.device)@\(fleet)" }
    /// What the agent keeps for the broker.
    private var output: String { folder + "/files" }
    private var keyFile: String { folder + "/agent.key" }
    private var certificateFile: String { folder + "/agent.pem" }

    /// What the broker begins with: lists of its own making, until the agent brings the fleet's.
    func revocation(now: Date) throws -> LocalMosquitto.Revocation {
        for path in [folder, output] {
            // The broker's user must be able to pass.
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755]
            )
        }
        let listFile = output + "/crl.pem"
        if !FileManager.default.fileExists(atPath: listFile) {
            let list = try pki.emptyList(of: .issuing, lifetime: Self.firstListLifetime, now: now)
            try PrivateFile.write(list, to: listFile, mode: 0o644)
        }
        return LocalMosquitto.Revocation(
            listFile: listFile,
            anchorLists: try [DevPKI.Item.root, .operatorCA].flatMap {
                try pki.emptyList(of: $0, lifetime: Self.anchorListLifetime, now: now)
            },
            plugin: try DynamicSecurity.plugin()
        )
    }

    /// Enrolls it; the fronts must listen.
    func service(logger: Logger) async throws -> AgentService {
        try await enroll()
        let file = folder + "/agent.yaml"
        try PrivateFile.write(Array(settings.utf8), to: file, mode: 0o644)
        return try AgentService(AgentConfiguration(file: file), logger: logger)
    }

    /// With the key that it had, so that it is given what it had, or the next when that has ended.
    private func enroll() async throws {
        let key = try key()
        let request = try CertificateSigningRequest(
            version: .v1,
            subject: DistinguishedName { CommonName(Self.device) },
            privateKey: Certificate.PrivateKey(key),
            attributes: CertificateSigningRequest.Attributes()
        )
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        let body = Base64Body.encode(serializer.serializedBytes)
        let issued = try await ask(.simpleenroll, body)
        let issuing = try CertificatePEM.first(in: ServerMaterial.read(pki.certificate(.issuing), key: "state"))
        let chain = issued.prefix(1) + [issuing]
        try PrivateFile.write(
            chain.flatMap { Array(CertificatePEM.text($0).utf8) },
            to: certificateFile,
            mode: 0o644
        )
    }

    private func key() throws -> P256.Signing.PrivateKey {
        if let text = try? String(contentsOfFile: keyFile, encoding: .utf8) {
            return try P256.Signing.PrivateKey(pemRepresentation: text)
        }
        let key = P256.Signing.PrivateKey()
        try PrivateFile.write(Array((key.pemRepresentation + "\n").utf8), to: keyFile, mode: 0o600)
        return key
    }

    /// One EST operation with the claim certificate.
    private func ask(_ operation: ESTOperation, _ body: [UInt8]) async throws -> [[UInt8]] {
        guard let label = ESTLabel(fleet) else { throw DevProblem.notEnrolled("\(fleet) is no label") }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(pki.certificate(.root)))
        tls.certificateChain = try NIOSSLCertificate.fromPEMFile(pki.certificate(.claim)).map { .certificate($0) }
        let secret = try ServerMaterial.secret(pki.key(.claim), key: "state")
        tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: secret, format: .pem))
        let http = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            configuration: HTTPClient.Configuration(tlsConfiguration: tls)
        )
        do {
            let path = ESTPath.path(of: operation, label: label)
            var request = HTTPClientRequest(url: "https://localhost:\(ports.est)\(path)")
            request.method = .POST
            request.headers.add(name: "Content-Type", value: ESTMediaType.pkcs10.rawValue)
            request.body = .bytes(body)
            let response = try await http.execute(request, timeout: Self.timeout)
            let answer = Array(buffer: try await response.body.collect(upTo: Self.answerOctetsMax))
            guard response.status == .ok else {
                throw DevProblem.notEnrolled("\(response.status.code) \(String(decoding: answer, as: UTF8.self))")
            }
            try await http.shutdown()
            return try CertsOnly.decode(Base64Body.decode(answer).der)
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    private var settings: String {
        """
        # Written by `muster dev` at each start.
        fleet: \(fleet)
        anchorFile: \(pki.certificate(.root))
        output: \(output)
        public:
          url: http://localhost:\(ports.publicFront)
        broker:
          host: localhost
          port: \(ports.broker)
          caFile: \(pki.certificate(.root))
          certificateFile: \(certificateFile)
          keyFile: \(keyFile)
        reload:
          pidFile: \(directory)/mosquitto/mosquitto.pid
        mosquitto:
          endSessions: true
        log:
          level: \(log.level.rawValue)
          format: \(log.format.rawValue)

        """
    }
}
