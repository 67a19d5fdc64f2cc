import ArgumentParser
import Foundation

/// `muster-sim seed`: fills a fleet with devices that never enrolled, so that a record can be measured at its size.
struct SeedCommand: AsyncParsableCommand {
    /// What the fleet's name must begin with: no fleet that anybody means is filled by mistake.
    static let fleetPrefix = "bench"
    /// DeviceIDs have nine digits.
    static let devicesMax = 999_999_999

    static let configuration = CommandConfiguration(
        commandName: "seed",
        abstract: "Fill a fleet for benchmarks with devices that exist in the record only.",
        discussion: """
            The fleet must be there, and its name must begin with '\(fleetPrefix)'. Devices that are there already stay \
            as they are, so that a run that was cut short can be repeated.
            """,
        shouldDisplay: false
    )

    @Option(help: ArgumentHelp("Muster's database as its server reaches it; on this machine.", valueName: "uri"))
    var database: String

    @Option(help: ArgumentHelp("The fleet; its name begins with '\(fleetPrefix)'.", valueName: "name"))
    var fleet: String

    @Option(help: "How many devices the fleet is to have.")
    var devices: Int

    @Flag(help: "Give each device a bound key, a certificate, and an attempt too.")
    var certificates = false

    func validate() throws {
        guard (1...Self.devicesMax).contains(devices) else {
            throw ValidationError("--devices must be 1 to \(Self.devicesMax)")
        }
        guard fleet.hasPrefix(Self.fleetPrefix) else {
            throw ValidationError(
                "--fleet must begin with '\(Self.fleetPrefix)'; \(fleet) may be a fleet that somebody means"
            )
        }
    }

    func run() async throws {
        let began = ContinuousClock.now
        let record = try await SeededRecord.open(database, fleet: fleet)
        defer { record.close() }
        var progress = ProgressLine(total: devices, began: began)
        var rows = SeededRecord.Rows()
        for first in stride(from: 1, through: devices, by: SeededRecord.batch) {
            let last = min(first + SeededRecord.batch - 1, devices)
            rows += try await record.fill(first...last, of: devices, certificates: certificates)
            progress.advance(done: last, failed: 0, now: .now)
        }
        progress.finish()
        let seconds = max((ContinuousClock.now - began).milliseconds / 1000, 0.001)
        print("\(rows.devices) devices made in fleet \(fleet), \(devices - rows.devices) were there")
        let rate = String(format: "%.0f", Double(rows.all) / seconds)
        print("\(rows.all) rows in \(String(format: "%.2f", seconds)) s, \(rate) rows/s")
        print("run VACUUM (ANALYZE) as the tables' owner before you measure")
    }
}
