import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// `kill -9` of the server while a simulated fleet enrolls.
    @Suite struct ServerKillTests {
        private static let devices = 150
        private static let kills = 10
        fileprivate static let roundsMax = 12

        @Test func `a server killed ten times under load loses no certificate and issues none twice for one key`()
            async throws
        {
            let bed = try await FaultBed()
            let fleet = try await FaultFleet(bed, devices: Self.devices)
            var server = try await bed.server()
            let rounds = try SimulatedRounds(bed, fleet, server, devices: Self.devices)
            var round = try await rounds.start()
            for _ in 0..<Self.kills {
                let goal = try await Self.answered(bed, fleet) + Int.random(in: 5...20)
                try await Eventually.holds("devices to enroll", seconds: 120) {
                    // Who was refused too often, or has a certificate, comes again with the same key.
                    if round.status != nil { round = try await rounds.start() }
                    return try await Self.answered(bed, fleet) >= goal
                }
                server = try await server.killedAndStarted()
            }
            // Nobody interferes any more: within two rounds all are content.
            for _ in 0..<2 where try await round.end(withinSeconds: 240) != 0 { round = try await rounds.start() }
            #expect(try await round.end(withinSeconds: 240) == 0, "\(round.log.suffix(3_000))")

            let held = try rounds.held()
            #expect(held.count == Self.devices)
            let changing = held.filter { $0.value.count > 1 }.map(\.key)
            #expect(changing.isEmpty, "devices that were given two certificates for one key")
            let recorded = Set(try await fleet.recorded().map(\.certificate))
            #expect(held.filter { !$0.value.isSubset(of: recorded) }.map(\.key) == [], "not in the record")
            #expect(try await fleet.doubles() == "")
            #expect(recorded.count == Self.devices, "certificates that no device holds")
            let audit = try await Shell.muster("audit", "verify", "--database", bed.record.serverURI)
            #expect(audit.succeeded, "\(audit.errorOutput)")
            server.program.signal(SIGTERM)
            #expect(try await server.program.end(withinSeconds: 10) == 0)
        }

        /// How often a certificate was given out, for the first time or again.
        private static func answered(_ bed: FaultBed, _ fleet: FaultFleet) async throws -> Int {
            let count = try await bed.record.query(
                """
                select count(*) from attempts
                where device_id like '\(fleet.pattern)' and outcome in ('issued', 'repeated')
                """
            )
            return Int(count) ?? 0
        }
    }

    /// The simulator, again and again with the same devices and keys.
    private final class SimulatedRounds {
        private let arguments: [String]
        private let folder: TemporaryDirectory
        private var count = 0

        init(_ bed: FaultBed, _ fleet: FaultFleet, _ server: FaultServer, devices: Int) throws {
            folder = try TemporaryDirectory(prefix: "mrounds")
            // The same but for the server.
            let text = try String(contentsOfFile: bed.state + "/dev.json", encoding: .utf8)
            let escaped = bed.document.urls.est.replacing("/", with: "\\/")
            let changed = text.replacing(bed.document.urls.est, with: server.url).replacing(escaped, with: server.url)
            try #require(changed.contains(server.url), "dev.json does not say where devices enroll")
            arguments = try [
                MusterDev.executable("muster-sim"), "enroll", "--dev", folder.write("dev.json", changed.utf8),
                "--devices", "\(devices)", "--identities", fleet.identities, "--concurrency", "12", "--rate", "60",
            ]
        }

        func start() async throws -> BackgroundProgram {
            count += 1
            try #require(count <= ServerKillTests.roundsMax, "the devices do not come to an end")
            return try await BackgroundProgram(arguments + ["--out", folder.path + "/out-\(count)"])
        }

        /// What devices hold of all rounds: DER in hex, by device.
        func held() throws -> [String: Set<String>] {
            var held: [String: Set<String>] = [:]
            for round in 1...count {
                let path = folder.path + "/out-\(round)"
                for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
                    let text = try String(contentsOfFile: path + "/" + name, encoding: .utf8)
                    held[name, default: []].insert(try Self.certificate(text))
                }
            }
            return held
        }

        /// The first certificate of a PEM file.
        private static func certificate(_ pem: String) throws -> String {
            let lines = pem.split(separator: "\n").drop { $0 != "-----BEGIN CERTIFICATE-----" }.dropFirst()
            let data = Data(base64Encoded: lines.prefix { !$0.hasPrefix("-----") }.joined())
            return try #require(data).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
}
