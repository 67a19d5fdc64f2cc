import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// PostgreSQL is killed and comes back while devices enroll.
    @Suite struct DatabaseKillTests {
        private static let devices = 200

        @Test func `a database killed under load means 503 and Retry-After, no false success, and no restart`()
            async throws
        {
            let bed = try await FaultBed()
            let server = try await bed.server()
            let fleet = try await FaultFleet(bed, devices: Self.devices)
            let run = try await fleet.start(at: [server])
            try await run.wait(for: "certificates before the kill", 40) { $0.status == 200 }

            try await bed.peers.killDatabase("KILL")
            let killed = Date().timeIntervalSince1970
            // A try that began now found no database from its first moment.
            try await run.wait(for: "503 while the database is away", 40) { $0.status == 503 && $0.began > killed }
            let started = Date().timeIntervalSince1970
            try await bed.peers.startDatabase()

            let tries = try await run.ended()
            #expect(fleet.unfinished(tries) == 0)
            let meanwhile = tries.filter { $0.began > killed && $0.ended < started }
            #expect(meanwhile.allSatisfy { $0.status == 503 && $0.isWhole }, "\(Self.summary(meanwhile))")
            #expect(tries.allSatisfy { $0.status == 200 || $0.status == 503 }, "\(Self.summary(tries))")
            #expect(tries.filter { $0.status == 503 }.allSatisfy { (Int($0.retryAfter ?? "") ?? 0) > 0 })
            #expect(try await fleet.missing(tries) == [])
            #expect(try await fleet.doubles() == "")
            #expect(FaultFleet.changing(tries) == [])
            #expect(server.program.status == nil, "the server was not to end")
            server.program.signal(SIGTERM)
            #expect(try await server.program.end(withinSeconds: 10) == 0)
        }

        private static func summary(_ tries: [FaultFleet.Try]) -> [String: Int] {
            Dictionary(grouping: tries) { "\($0.status) \($0.problem ?? "")" }.mapValues(\.count)
        }
    }
}
