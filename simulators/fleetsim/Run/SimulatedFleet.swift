import Crypto
import EST
import NIOCore
import NIOSSL
import SwiftASN1
import X509

/// What the devices of one run have in common.
struct SimulatedFleet: Sendable {
    let names: FleetSeed
    let identityKind: IdentityKind
    let keyKind: DeviceKeyKind
    let client: ESTClient
    let bags: IssuerBags
    let patience: ApprovalPatience
    let retry: RetryPolicy
    let serverReturn: ServerReturn
    /// What the devices were made with (DER).
    let rootDER: [UInt8]
    /// Nil if certificates and keys are not kept.
    let output: DeviceOutput?
    /// Nil if devices do not speak MQTT.
    let broker: DeviceBroker?

    private let identities: IdentitySource
    /// Nil if each device makes its operational key.
    private let folder: IdentityFolder?
    private let root: NIOSSLCertificate
    private let copied = CopiedIdentities()
    /// The devices of a claim have the same credential, and so the same context.
    private let claimContexts: [NIOSSLContext]

    init(
        _ file: DevFile,
        label: ESTLabel,
        plan: FleetPlan,
        identities: IdentitySource,
        folder: IdentityFolder?,
        patience: ApprovalPatience,
        retry: RetryPolicy = RetryPolicy(),
        outputFolder: String?,
        mqtt: Bool,
        group: any EventLoopGroup
    ) throws {
        names = try plan.names()
        identityKind = plan.identity
        keyKind = plan.key
        self.patience = patience
        self.retry = retry
        self.identities = identities
        self.folder = folder
        let endpoint = try LoopbackEndpoint(url: file.urls.est)
        client = ESTClient(exchange: HTTPExchange(group: group, endpoint: endpoint), label: label)
        let rootPEM = try PEMDocument(pemString: DevFile.text(of: file.files.root, named: "root"))
        serverReturn = ServerReturn(group: group, endpoint: endpoint)
        rootDER = rootPEM.derBytes
        bags = IssuerBags(root: rootPEM.derBytes)
        root = try NIOSSLCertificate(bytes: rootPEM.derBytes, format: .der)
        output = try outputFolder.map { try DeviceOutput(folder: $0) }
        broker = mqtt ? try DeviceBroker(file, fleet: label.text, root: rootPEM.derBytes) : nil
        claimContexts = try identities.claims.map { [root] claim in
            try Self.context(root: root, chain: claim.chain, key: claim.key)
        }
    }

    /// The claims of the run, in the order of `DeviceCredential.claim`.
    var claims: [Claim] { identities.claims }

    /// What a device presents. Its IDevID is made now and forgotten with the device, so that a large fleet takes no more
    /// memory than the devices that are on their way.
    func credential(of device: Device) throws -> DeviceCredential {
        let number = device.plan?.deviceNumber ?? device.number
        let make = { try identities.credential(number, device.deviceID) }
        return try device.plan?.sharesCredential == true ? copied.credential(number, make) : make()
    }

    /// The operational key of a device: a new one, the one that is kept for it, or the one that it was copied with.
    func operationalKey(of device: Device) throws -> Certificate.PrivateKey {
        let make = { try folder?.key(device.deviceID) ?? keyKind.generate() }
        guard let plan = device.plan, plan.sharesKey else { return try make() }
        return try copied.key(plan.deviceNumber, make)
    }

    /// The TLS of a device with that credential.
    func tlsContext(_ credential: DeviceCredential) throws -> NIOSSLContext {
        switch credential {
        case .claim(let index):
            guard claimContexts.indices.contains(index) else {
                throw SimulatorError.credential("there is no claim \(index)")
            }
            return claimContexts[index]
        case .idevid(let certificate, let key):
            return try Self.context(
                root: root,
                chain: [NIOSSLCertificate(bytes: certificate, format: .der)],
                key: NIOSSLPrivateKey(bytes: key, format: .der)
            )
        }
    }

    /// The TLS of a device that is enrolled.
    func tlsContext(_ identity: OperationalIdentity) throws -> NIOSSLContext {
        try Self.context(
            root: root,
            chain: ([identity.certificate] + identity.chain).map { try NIOSSLCertificate(bytes: $0, format: .der) },
            key: NIOSSLPrivateKey(bytes: Array(identity.key.serializeAsPEM().derBytes), format: .der)
        )
    }

    /// TLS as devices speak it.
    static func context(
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
