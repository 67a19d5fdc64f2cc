import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests {
    /// Something is killed amid a fleet's first boot: every certificate that left is in the record.
    @Suite struct CrashTests {
        private struct Report: Decodable {
            let seed: UInt64
            let outcomes: [String: Int]
        }

        private static let devices = 120

        @Test func `a server killed amid enrollments has every certificate that left, and goes on`() async throws {
            let dev = try MusterDev()
            let document = try await dev.start()
            let record = RecordProbe(document)
            let folder = try TemporaryDirectory(prefix: "mcrash")
            let fleet = try await Self.fleet(dev, folder)
            try await Self.waitForSome(record)
            await dev.signal(SIGKILL)
            #expect(try await dev.waitForEnd())
            #expect(try await fleet.end(withinSeconds: 240) != nil)

            let after = try await dev.start()
            try await Self.expectAllRecorded(folder, RecordProbe(after))
            // The whole fleet, with those who had their certificate already.
            let report = try JSONDecoder().decode(Report.self, from: Data(folder.read("report.json")))
            let again = try await Self.fleet(dev, folder, options: ["--seed", "\(report.seed)"])
            #expect(try await again.end(withinSeconds: 240) == 0, "\(again.log.suffix(2_000))")
            try await Self.expectAllRecorded(folder, RecordProbe(after))
            try await dev.stop()
        }

        @Test func `a database killed amid enrollments has every certificate that left`() async throws {
            let dev = try MusterDev()
            let record = RecordProbe(try await dev.start())
            let peers = LocalPeers(state: dev.state)
            let folder = try TemporaryDirectory(prefix: "mcrash")
            let fleet = try await Self.fleet(dev, folder)
            try await Self.waitForSome(record)
            try await peers.killDatabase("KILL")
            try await peers.startDatabase()
            #expect(try await fleet.end(withinSeconds: 240) != nil)
            try await Self.expectAllRecorded(folder, record)
            // No certificate without its attempt, and none twice.
            let odd = try await record.query(
                """
                select count(*) from certificates c where not exists
                    (select from attempts a where a.serial = c.serial and a.outcome = 'issued');
                select count(*) from (select from certificates group by der having count(*) > 1) as twice
                """
            )
            #expect(odd == "0\n0")
            let audit = try await Shell.muster("audit", "verify", "--database", record.serverURI)
            #expect(audit.succeeded, "\(audit.errorOutput)")
            try await dev.stop()
        }

        /// A fleet that enrolls in the background, and keeps what it got in `folder`.
        private static func fleet(
            _ dev: MusterDev,
            _ folder: TemporaryDirectory,
            options: [String] = []
        ) async throws -> BackgroundProgram {
            try await BackgroundProgram(
                [
                    MusterDev.executable("muster-sim"), "enroll", "--dev", dev.state + "/dev.json",
                    "--devices", "\(devices)", "--concurrency", "\(devices)", "--rate", "40", "--out",
                    folder.path + "/out",
                    "--json", folder.path + "/report.json",
                ] + options
            )
        }

        private static func waitForSome(_ record: RecordProbe) async throws {
            try await Eventually.holds("some certificates", seconds: 120) {
                (Int(try await record.query("select count(*) from certificates")) ?? 0) >= 40
            }
        }

        /// Every certificate that a device holds is in the record, byte for byte.
        private static func expectAllRecorded(_ folder: TemporaryDirectory, _ record: RecordProbe) async throws {
            let held = try await Shell.run(
                """
                for file in "$1"/out/*.pem "$1"/out/*.crt; do
                    [ -e "$file" ] && grep -q 'BEGIN CERTIFICATE' "$file" || continue
                    openssl x509 -in "$file" -outform DER | od -An -v -tx1 | tr -d ' \\n'; echo
                done
                """,
                folder.path
            ).split(separator: "\n")
            #expect(held.count >= 10, "the fleet kept too few certificates to tell")
            let recorded = Set(
                try await record.query("select encode(der, 'hex') from certificates").split(separator: "\n")
            )
            #expect(held.filter { !recorded.contains($0) }.count == 0)
        }
    }
}
