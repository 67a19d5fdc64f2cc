import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// SIGTERM while devices enroll.
    @Suite struct ShutdownTests {
        private static let devices = 220

        @Test func `SIGTERM under load ends with status 0, and each certificate in the record was answered`()
            async throws
        {
            let bed = try await FaultBed()
            let server = try await bed.server()
            let fleet = try await FaultFleet(bed, devices: Self.devices)
            // Nobody tries again: what the record has then can only have been answered in the one try.
            var behaviour = FaultFleet.Behaviour()
            behaviour.threads = 24
            behaviour.triesAgain = false
            let run = try await fleet.start(at: [server], behaviour)
            try await run.wait(for: "certificates before the signal", 50) { $0.status == 200 }

            let signalled = Date().timeIntervalSince1970
            server.program.signal(SIGTERM)
            #expect(try await server.program.end(withinSeconds: 10) == 0, "\(server.program.log.suffix(500))")

            let tries = try await run.ended()
            let halves = tries.filter { !$0.isWhole && $0.octets > 0 }
            #expect(halves.isEmpty, "answers that were cut: \(halves.prefix(3))")
            #expect(tries.allSatisfy { !$0.isWhole || [200, 503].contains($0.status) })
            let underWay = tries.filter { $0.began < signalled && $0.ended > signalled }
            #expect(underWay.contains { $0.status == 200 }, "no request was under way; the test shows nothing")
            #expect(try await fleet.missing(tries) == [], "answered, and not in the record")
            let answered = Set(tries.compactMap(\.certificate))
            let unheard = try await fleet.recorded().filter { !answered.contains($0.certificate) }.map(\.device)
            #expect(unheard == [], "in the record, and not answered")
            #expect(tries.contains { $0.status == 0 }, "the server went on after the signal")
        }
    }
}
