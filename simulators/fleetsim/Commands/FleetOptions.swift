import ArgumentParser

/// The options that say which devices are played; `enroll` and `registrations` have them in common, so that the same
/// options are the same devices.
struct FleetOptions: ParsableArguments {
    @Option(help: "Names the devices: the same seed, the same devices. Random, and printed, if not given.")
    var seed: UInt64?

    @Option(help: "What every DeviceID begins with. (default: \(FleetSeed.prefixDefault))")
    var prefix: String?

    @Option(help: "How devices prove who they are: idevid or claim. (default: idevid)")
    var identity: IdentityKind?

    @Option(help: "Their operational keys: p256, p384, rsa2048 or ed25519. (default: p256)")
    var key: DeviceKeyKind?

    @Option(
        help: ArgumentHelp(
            "The folder of keys and IDevIDs that `registrations --identities` made; it says which devices they are.",
            valueName: "folder"
        )
    )
    var identities: String?

    func validate() throws {
        if let prefix, FleetSeed(value: 0, prefix: prefix) == nil {
            throw ValidationError(
                "--prefix must be 1 to \(FleetSeed.prefixLengthMax) of A-Z, a-z, 0-9, '.', '_' and '-'"
            )
        }
    }
}

/// The devices that a command plays or lists.
struct FleetPlan: Codable, Hashable, Sendable {
    let seed: UInt64
    let prefix: String
    let identity: IdentityKind
    let key: DeviceKeyKind
    let devices: Int

    init(seed: UInt64, prefix: String, identity: IdentityKind, key: DeviceKeyKind, devices: Int) {
        self.seed = seed
        self.prefix = prefix
        self.identity = identity
        self.key = key
        self.devices = devices
    }

    /// Takes each option as given, else as it is by default.
    init(_ options: FleetOptions, devices: Int) {
        seed = options.seed ?? UInt64(UInt32.random(in: .min ... .max))
        prefix = options.prefix ?? FleetSeed.prefixDefault
        identity = options.identity ?? .idevid
        key = options.key ?? .p256
        self.devices = devices
    }

    /// The first `devices` devices of `kept`, whose identities lie in a folder.
    /// - Throws: `ValidationError` for an option that means other devices than the folder holds.
    init(_ options: FleetOptions, devices: Int, kept: FleetPlan) throws {
        let differing: [(option: String, isOther: Bool, kept: String)] = [
            ("--seed", options.seed.map { $0 != kept.seed } ?? false, "\(kept.seed)"),
            ("--prefix", options.prefix.map { $0 != kept.prefix } ?? false, kept.prefix),
            ("--identity", options.identity.map { $0 != kept.identity } ?? false, kept.identity.rawValue),
            ("--key", options.key.map { $0 != kept.key } ?? false, kept.key.rawValue),
        ]
        if let other = differing.first(where: \.isOther) {
            throw ValidationError("the folder of --identities was made with \(other.option) \(other.kept)")
        }
        guard devices <= kept.devices else {
            throw ValidationError(
                "the folder of --identities holds \(kept.devices) devices; --devices asks for \(devices)"
            )
        }
        seed = kept.seed
        prefix = kept.prefix
        identity = kept.identity
        key = kept.key
        self.devices = devices
    }

    /// The names of its devices.
    /// - Throws: `ValidationError` for a prefix that no DeviceID can begin with.
    func names() throws -> FleetSeed {
        guard let names = FleetSeed(value: seed, prefix: prefix) else {
            throw ValidationError("no DeviceID can begin with \(prefix)")
        }
        return names
    }

    /// `--devices`, within its bounds.
    static func validate(devices: Int) throws {
        guard (1...FleetSeed.devicesMax).contains(devices) else {
            throw ValidationError("--devices must be 1 to \(FleetSeed.devicesMax)")
        }
    }
}
