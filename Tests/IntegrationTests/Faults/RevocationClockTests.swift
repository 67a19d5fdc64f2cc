import Foundation
import TestPeers
import Testing

extension SystemTests.Faults {
    /// The clock of servers and database is set back.
    @Suite struct RevocationClockTests {
        private static let hour = 3_600

        /// What relying parties have of two certificates at one moment.
        private struct View {
            let answers: [PublicLook.Answer]
            let lists: [PublicLook.List]

            init(_ server: FaultServer, _ devices: [SystemDevice]) async throws {
                var answers: [PublicLook.Answer] = []
                var lists: [PublicLook.List] = []
                for device in devices {
                    let look = PublicLook(server, device)
                    answers.append(try await look.answer())
                    for kind in PublicLook.Kind.allCases { lists.append(try await look.list(kind)) }
                }
                self.answers = answers
                self.lists = lists
            }

            /// whoever takes the later of two for the truth is never led back.
            func follows(_ before: View, _ where: Comment) {
                for (earlier, later) in zip(before.answers, answers) {
                    #expect(later.producedAt >= earlier.producedAt, `where`)
                    #expect(later.thisUpdate >= earlier.thisUpdate, `where`)
                }
                for (earlier, later) in zip(before.lists, lists) {
                    #expect(later.number >= earlier.number, `where`)
                    #expect(later.thisUpdate >= earlier.thisUpdate, `where`)
                    #expect(later.nextUpdate >= earlier.nextUpdate, `where`)
                }
            }
        }

        @Test func `with a clock set back an hour times and numbers go on rising, and revocations come through`()
            async throws
        {
            let bed = try await RevocationBed()
            let clock = try await OtherClock()
            var server = try await bed.server()
            let lost = try await bed.device(at: server)
            let late = try await bed.device(at: server)
            let devices = [lost, late]
            let gone = try await bed.device(at: server)
            #expect(try await bed.revoke(gone, at: server) == 200)
            try await bed.isEverywhere(gone, at: server)
            // Answers are signed some seconds after the lists, so that it is not these that hold the answers' times.
            let listed = try await PublicLook(server, gone).list(.all).thisUpdate
            try await Eventually.holds("seconds after the lists") { Int(Date().timeIntervalSince1970) > listed + 2 }
            var last = try await View(server, devices)
            #expect(last.answers.map(\.status) == ["good", "good"])
            let lists = last.lists.map(\.thisUpdate).max() ?? .max
            #expect(last.answers.allSatisfy { $0.producedAt > lists }, "the test shows nothing")

            // The whole machine's clock, over a restart of all that serves.
            try await server.kill()
            try await bed.peers.killDatabase("KILL")
            try await bed.peers.startDatabase(clock.starter(ahead: -Self.hour))
            server = try await server.started(by: clock.starter(ahead: -Self.hour))
            let shown = try await bed.record.query("select extract(epoch from clock_timestamp())::bigint")
            let behind = Int(Date().timeIntervalSince1970) - (Int(shown) ?? 0)
            try #require(abs(behind - Self.hour) < 300, "the clock is \(behind) s behind; the test shows nothing")
            var view = try await View(server, devices)
            view.follows(last, "after the restart")
            last = view

            let cached = try await Self.conditions(server, lost)
            #expect(try await bed.revoke(lost, at: server) == 200)
            try await bed.isEverywhere(lost, at: server)
            view = try await View(server, devices)
            view.follows(last, "after a revocation an hour behind")
            #expect(view.answers.map(\.status) == ["revoked", "good"])
            #expect(view.lists[0].number > last.lists[0].number)
            // Whoever asks by the date alone, which has not gone on, hears of it too.
            for (path, date) in cached {
                let status = try await Shell.run(
                    "curl -sS -o /dev/null -w '%{http_code}' -H \"If-Modified-Since: $2\" \"$1\"",
                    server.publicURL + path,
                    date
                )
                #expect(status == "200", "\(path) was told to be what it was on \(date)")
            }
            last = view

            // It is set right.
            try await server.kill()
            try await bed.peers.killDatabase("KILL")
            try await bed.peers.startDatabase()
            server = try await server.started(by: [])
            view = try await View(server, devices)
            view.follows(last, "with the right clock again")
            #expect(try await bed.revoke(late, at: server) == 200)
            try await bed.isEverywhere(late, at: server)
            let end = try await View(server, devices)
            end.follows(view, "after a revocation with the right clock")
            #expect(end.answers.map(\.status) == ["revoked", "revoked"])
            try await RevocationKillTests.isWhole(bed)
            try await server.stop()
        }

        /// The paths of what changes when a device is revoked, with the dates that caches keep beside it.
        private static func conditions(
            _ server: FaultServer,
            _ device: SystemDevice
        ) async throws -> [(path: String, date: String)] {
            let said = try await Shell.run(
                """
                url=$(openssl x509 -in "$2" -noout -ext crlDistributionPoints | sed -n 's/^ *URI://p')
                list="/${url#http://*/}"
                for path in "$list" "${list%/*}.crl" "/ocsp/$(base64 -w0 "$2.request" | sed 's/+/%2B/g; s,/,%2F,g')"; do
                    printf '%s|' "$path"
                    curl -sSf -D - -o /dev/null "$1$path" | tr -d '\\r' | sed -n 's/^[Ll]ast-[Mm]odified: //p'
                done
                """,
                server.publicURL,
                device.certificateFile
            )
            return try said.split(separator: "\n").map { line in
                let parts = line.split(separator: "|")
                try #require(parts.count == 2, "\(said)")
                return (String(parts[0]), String(parts[1]))
            }
        }
    }
}
