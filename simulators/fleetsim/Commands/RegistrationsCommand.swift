import ArgumentParser
import Foundation

/// What a registration says of a device beside its name.
enum RegistrationPin: String, CaseIterable, ExpressibleByArgument, Sendable {
    case key, idevid, none
}

/// `muster-sim registrations`: the devices that `muster-sim enroll` plays, for an operator to import.
struct RegistrationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registrations",
        abstract: "List the devices that `enroll` plays, as `muster registration import` reads them.",
        discussion: """
            Writes CSV with the columns device, key_sha256 and idevid_sha256. The same --seed and --prefix name the same \
            devices in both commands. What is pinned must stay: --identities names the folder in which this command \
            keeps keys and IDevIDs, and from which `enroll --identities` plays the devices.
            """
    )

    @Option(help: "How many devices.")
    var devices: Int

    @OptionGroup var fleet: FleetOptions
    @OptionGroup var credentials: CredentialOptions

    @Option(help: "What each line pins: key, idevid or none.")
    var pin = RegistrationPin.none

    @Option(
        help: ArgumentHelp("The dev.json that `muster dev` wrote, for the manufacturer of IDevIDs.", valueName: "file")
    )
    var dev: String?

    @Option(help: ArgumentHelp("Write to this file; to standard output if not given.", valueName: "file"))
    var out: String?

    func validate() throws {
        try FleetPlan.validate(devices: devices)
        guard pin == .none || fleet.identities != nil else {
            throw ValidationError("--pin \(pin.rawValue) needs --identities DIR, the folder that keeps what is pinned")
        }
    }

    func run() async throws {
        let folder = try fleet.identities.map { try IdentityFolder(making: $0) }
        let kept = try folder?.plan()
        let plan =
            try kept.map { try FleetPlan(fleet, devices: devices, kept: $0) } ?? FleetPlan(fleet, devices: devices)
        try credentials.validate(for: plan.identity, isKept: kept != nil)
        guard pin != .idevid || plan.identity == .idevid else {
            throw ValidationError("--pin idevid is for --identity idevid; these devices share a claim")
        }
        let names = try plan.names()
        FileHandle.standardError.write(Data("seed \(plan.seed)\n".utf8))
        let source: RegistrationList.Source =
            switch (folder, kept) {
            case (nil, _): .names
            case (let folder?, _?): .kept(folder)
            case (let folder?, nil): try .made(folder, manufacturer(plan), plan.key)
            }
        let list = RegistrationList(names: names, devices: devices, pin: pin, source: source)
        try list.write(to: out)
        if let folder, kept == nil { try folder.keep(plan) }
    }

    /// Nil for devices that have no IDevIDs.
    private func manufacturer(_ plan: FleetPlan) throws -> BootstrapAuthority? {
        guard plan.identity == .idevid else { return nil }
        guard dev != nil || credentials.manufacturerCert != nil else {
            throw ValidationError(
                "IDevIDs need a manufacturer: give --dev, or --manufacturer-cert and --manufacturer-key"
            )
        }
        return try IdentitySource.manufacturer(dev.map { try DevFile.read($0).files }, credentials)
    }
}
