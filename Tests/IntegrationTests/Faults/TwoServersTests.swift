import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// Two servers on one database, and that of `muster dev` is a third that publishes.
    @Suite struct TwoServersTests {
        private static let devices = 60
        private static let versions = 5

        @Test func `the same devices at two servers at once get one certificate each, and one trust store a version`()
            async throws
        {
            let bed = try await FaultBed()
            let one = try await bed.server()
            let other = try await bed.server()
            let fleet = try await FaultFleet(bed, devices: Self.devices)
            let name = "two\(UInt32.random(in: 0 ... .max))"
            let witness = try await BrokerWitness(bed, fleets: [name])
            try await bed.makeFleet(name)

            var behaviour = FaultFleet.Behaviour()
            behaviour.threads = 8
            behaviour.visits = 2
            behaviour.isEverywhereAtOnce = true
            let run = try await fleet.start(at: [one, other], behaviour)
            for _ in 1..<Self.versions { try await bed.muster("truststore", "publish", "--fleet", name) }
            let tries = try await run.ended()

            #expect(tries.count == Self.devices * 4)
            #expect(tries.allSatisfy { $0.certificate != nil }, "\(tries.filter { $0.certificate == nil }.prefix(3))")
            #expect(FaultFleet.changing(tries) == [])
            #expect(try await fleet.missing(tries) == [])
            #expect(try await fleet.doubles() == "")
            #expect(try await fleet.recorded().count == Self.devices)

            try await bed.outboxIsEmpty()
            // Said after all that was published: what comes before it is all there was.
            try await witness.end()
            #expect(try witness.versions(of: name) == Array(1...Self.versions))
            for server in [one, other] {
                server.program.signal(SIGTERM)
                #expect(try await server.program.end(withinSeconds: 10) == 0)
            }
        }
    }
}
