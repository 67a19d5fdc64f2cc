import Crypto
import EST
import NIOCore
import NIOSSL
import SwiftASN1
import X509

/// What the devices of one run have in common.
struct SimulatedFleet: Sendable {
    let seed: FleetSeed
    let identityKind: IdentityKind
    let keyKind: DeviceKeyKind
    let client: ESTClient
    let bags: IssuerBags
    /// Nil if certificates and keys are not kept.
    let output: DeviceOutput?
    /// Nil if devices do not speak MQTT.
    let broker: DeviceBroker?

    private let identities: IdentitySource
    private let root: NIOSSLCertificate
    /// With a claim, all devices have the same credential, and so the same context.
    private let sharedContext: NIOSSLContext?

    init(
        _ file: DevFile,
        seed: FleetSeed,
        identity: IdentityKind,
        key: DeviceKeyKind,
        outputFolder: String?,
        mqtt: Bool,
        group: any EventLoopGroup
    ) throws {
        guard let label = ESTLabel(file.fleet) else {
            throw SimulatorError.devFile("dev.json's fleet \(file.fleet) is not a fleet's name")
        }
        self.seed = seed
        identityKind = identity
        keyKind = key
        let endpoint = try LoopbackEndpoint(url: file.urls.est)
        client = ESTClient(exchange: HTTPExchange(group: group, endpoint: endpoint), label: label)
        let rootPEM = try PEMDocument(pemString: DevFile.text(of: file.files.root, named: "root"))
        bags = IssuerBags(root: rootPEM.derBytes)
        root = try NIOSSLCertificate(bytes: rootPEM.derBytes, format: .der)
        output = try outputFolder.map { try DeviceOutput(folder: $0) }
        broker = mqtt ? try DeviceBroker(file, root: rootPEM.derBytes) : nil
        identities = try IdentitySource(identity, files: file.files)
        switch identities {
        case .manufacturer: sharedContext = nil
        case .claim(let chain, let key): sharedContext = try Self.context(root: root, chain: chain, key: key)
        }
    }

    /// The TLS of one device. Its IDevID is made now and forgotten with the device, so that a large fleet takes no more
    /// memory than the devices that are on their way.
    func tlsContext(_ deviceID: String) throws -> NIOSSLContext {
        if let sharedContext { return sharedContext }
        switch identities {
        case .claim(let chain, let key):
            return try Self.context(root: root, chain: chain, key: key)
        case .manufacturer(let manufacturer):
            let (certificate, key) = try manufacturer.makeIDevID(deviceID)
            return try Self.context(
                root: root,
                chain: [NIOSSLCertificate(bytes: certificate, format: .der)],
                key: NIOSSLPrivateKey(bytes: Array(key.derRepresentation), format: .der)
            )
        }
    }

    private static func context(
        root: NIOSSLCertificate,
        chain: [NIOSSLCertificate],
        key: NIOSSLPrivateKey
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        // The only anchor is the root that the device was made with, never the system's.
        configuration.trustRoots = .certificates([root])
        configuration.certificateVerification = .fullVerification
        configuration.certificateChain = chain.map { .certificate($0) }
        configuration.privateKey = .privateKey(key)
        configuration.applicationProtocols = ["http/1.1"]
        // As embedded TLS stacks have it; the post-quantum group would cost both ends more than all the rest.
        configuration.curves = [.x25519, .secp256r1]
        return try NIOSSLContext(configuration: configuration)
    }
}
