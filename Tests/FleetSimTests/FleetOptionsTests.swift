import ArgumentParser
import Testing

@testable import fleetsim

@Suite struct `The options of enroll` {
    private let usual = ["--dev", "dev.json", "--devices", "10"]

    @Test(
        arguments: [
            (["--claim-cert", "c.pem"], "--claim-cert and --claim-key go together"),
            (["--claim-key", "c.key"], "--claim-cert and --claim-key go together"),
            (["--manufacturer-key", "m.key"], "--manufacturer-cert and --manufacturer-key go together"),
            (["--claim-ca-cert", "ca.pem"], "--claim-ca-cert and --claim-ca-key go together"),
            (["--claims", "3"], "--claims goes together with --claim-ca-cert"),
            (["--claim-ca-cert", "ca.pem", "--claim-ca-key", "ca.key"], "--claims goes together with --claim-ca-cert"),
            (
                ["--claims", "0", "--claim-ca-cert", "ca.pem", "--claim-ca-key", "ca.key"],
                "--claims must be 1 to 1000"
            ),
            (
                [
                    "--claims", "3", "--claim-ca-cert", "ca.pem", "--claim-ca-key", "ca.key", "--claim-cert", "c.pem",
                    "--claim-key", "c.key",
                ], "give one of the two"
            ),
            (["--wait", "-1"], "--wait"),
            (["--wait", "604801"], "--wait must be 0 to 604800 seconds"),
            (["--fleet", "Lab 1"], "--fleet Lab 1 is not a fleet's name"),
            (["--fleet", "cacerts"], "--fleet cacerts is not a fleet's name"),
            (["--prefix", ""], "--prefix must be 1 to 11"),
            (["--prefix", "has blank"], "--prefix must be 1 to 11"),
            (["--prefix", "twelve-chars"], "--prefix must be 1 to 11"),
            (["--expect", "issued"], "--expect must be like issued=900"),
        ]
    )
    func `that contradict each other or nothing are refused in words`(options: [String], words: String) {
        let error = #expect(throws: (any Error).self) { try EnrollCommand.parse(usual + options) }
        let message = error.map { EnrollCommand.message(for: $0) } ?? ""
        #expect(message.contains(words), "\(message)")
    }

    @Test(arguments: [0, 10_000_000])
    func `ask for no fewer devices than one and no more than names have room for`(devices: Int) {
        #expect(throws: (any Error).self) { try EnrollCommand.parse(["--dev", "d", "--devices", "\(devices)"]) }
    }

    @Test func `leave out mean a device that reports pending and stops`() throws {
        #expect(try EnrollCommand.parse(usual).wait == 0)
    }

    @Test func `for claims are refused to devices with IDevIDs, and the other way round`() throws {
        let claim = try EnrollCommand.parse(usual + ["--claim-cert", "c", "--claim-key", "k"]).credentials
        #expect(throws: ValidationError.self) { try claim.validate(for: .idevid, isKept: false) }
        try claim.validate(for: .claim, isKept: false)
        let manufacturer = try EnrollCommand.parse(usual + ["--manufacturer-cert", "c", "--manufacturer-key", "k"])
            .credentials
        #expect(throws: ValidationError.self) { try manufacturer.validate(for: .claim, isKept: false) }
        #expect(throws: ValidationError.self) { try manufacturer.validate(for: .idevid, isKept: true) }
        try manufacturer.validate(for: .idevid, isKept: false)
    }

    @Test func `that mean other devices than the folder of identities holds are refused`() throws {
        let made = try EnrollCommand.parse(usual + ["--seed", "7", "--key", "p384"]).fleetOptions
        let kept = FleetPlan(made, devices: 10)
        func plan(_ options: [String], devices: Int = 10) throws -> FleetPlan {
            try FleetPlan(EnrollCommand.parse(usual + options).fleetOptions, devices: devices, kept: kept)
        }
        #expect(try plan([]) == kept)
        #expect(try plan(["--seed", "7", "--key", "p384", "--identity", "idevid", "--prefix", "sim"]) == kept)
        #expect(try plan([], devices: 3).devices == 3)
        for other in [["--seed", "8"], ["--key", "p256"], ["--identity", "claim"], ["--prefix", "lab"]] {
            #expect(throws: ValidationError.self, "\(other)") { try plan(other) }
        }
        #expect(throws: ValidationError.self) { try plan([], devices: 11) }
    }
}

@Suite struct `The options of seed` {
    @Test func `are for fleets only whose names begin with bench`() throws {
        let rest = ["--database", "postgresql:///muster", "--devices", "5"]
        #expect(try SeedCommand.parse(rest + ["--fleet", "bench-1"]).fleet == "bench-1")
        for fleet in ["lab", "workbench", "Bench", ""] {
            let error = #expect(throws: (any Error).self) { try SeedCommand.parse(rest + ["--fleet", fleet]) }
            let message = error.map { SeedCommand.message(for: $0) } ?? ""
            #expect(message.contains("must begin with 'bench'"), "\(message)")
        }
    }

    @Test func `stand in no listing of commands`() {
        #expect(!MusterSim.helpMessage().contains("Fill a fleet"))
        #expect(!MusterSim.helpMessage().contains(" seed "))
        #expect(MusterSim.helpMessage().contains("registrations"))
    }
}

@Suite struct `DeviceIDs of a seed` {
    @Test(arguments: [(1, "sim-7-000001"), (999_999, "sim-7-999999"), (1_000_000, "sim-7-1000000")])
    func `count with six digits at least`(number: Int, deviceID: String) throws {
        let seed = try #require(FleetSeed(value: 7))
        #expect(seed.deviceID(number) == deviceID)
    }

    @Test func `fit the longest that a DeviceID can be`() throws {
        let prefix = String(repeating: "p", count: FleetSeed.prefixLengthMax)
        let seed = try #require(FleetSeed(value: .max, prefix: prefix))
        #expect(seed.deviceID(FleetSeed.devicesMax).utf8.count == 40)
    }
}
