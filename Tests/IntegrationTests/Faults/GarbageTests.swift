import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// Random octets at each depth: as TLS, as HTTP, as requests for a certificate.
    @Suite struct GarbageTests {
        private static let tls = 2_000
        private static let http = 1_000
        private static let requests = 2_000
        private static let threads = 8
        private static let growthMiBMax = 64
        /// Set, it repeats a run.
        private static let seedVariable = "MUSTER_GARBAGE_SEED"

        private struct Answers: Decodable {
            /// Answers to requests for a certificate, by status; "0" is none.
            let statuses: [String: Int]
            /// Their Request-Ids.
            let ids: [String]
            /// Connections that broke, by the error.
            let failures: [String: Int]
        }

        @Test func `five thousand garbage requests are survived within bounds, recorded, and keep no device out`()
            async throws
        {
            let given = ProcessInfo.processInfo.environment[Self.seedVariable]
            let seed = given.flatMap { UInt32($0) } ?? UInt32.random(in: 0 ... .max)
            let again: Comment = "repeat with \(Self.seedVariable)=\(seed)"
            let bed = try await FaultBed()
            let server = try await bed.server("est.handshakeTimeoutSeconds=5")
            let before = try await FaultFleet(bed, devices: 20)
            #expect(try await before.unfinished(before.start(at: [server]).ended()) == 0)
            let fleet = try await FaultFleet(bed, devices: 30)
            let sender = try await FaultFleet(bed, devices: 1)
            let start = try server.peakMiB()
            try server.forgetPeak()

            let stranger = try await Stranger(
                bed,
                at: server,
                "garbage",
                "\(seed)",
                "\(Self.tls)",
                "\(Self.http)",
                "\(Self.requests)",
                try sender.credentialFile(1),
                try sender.requestFile(1),
                "\(Self.threads)"
            )
            let tries = try await fleet.start(at: [server]).ended()
            #expect(fleet.unfinished(tries) == 0, again)
            #expect(tries.allSatisfy { $0.status == 200 }, again)
            #expect(try await fleet.missing(tries) == [])

            let answers = try await stranger.says("statuses", as: Answers.self, withinSeconds: 300)
            #expect(Set(answers.statuses.keys).isSubset(of: ["400", "413"]), "\(answers.statuses) \(again)")
            #expect(answers.ids.count == Self.requests, "\(answers.statuses) \(again)")
            let ids = Set(answers.ids).map { "('\($0)'::uuid)" }.joined(separator: ",")
            let recorded = try await bed.record.query(
                """
                select outcome, count(*) from attempts join (values \(ids)) as sent (request) on request = request_id
                group by outcome
                """
            )
            #expect(recorded == "refused|\(Self.requests)", again)
            #expect(try await sender.recorded().isEmpty, again)
            let growth = try server.peakMiB() - start
            #expect(growth < Self.growthMiBMax, "\(growth) MiB more than the \(start) MiB before; \(again)")
            #expect(server.program.status == nil, "the server was not to end; \(again)")
            server.program.signal(SIGTERM)
            #expect(try await server.program.end(withinSeconds: 10) == 0, again)
        }
    }
}
