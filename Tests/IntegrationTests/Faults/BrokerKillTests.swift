import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// Mosquitto is killed and comes back while devices enroll.
    @Suite struct BrokerKillTests {
        private static let devices = 150

        @Test func `a broker killed under load stops no enrollment, and each fleet's messages follow in order`()
            async throws
        {
            let bed = try await FaultBed()
            let server = try await bed.server()
            let fleet = try await FaultFleet(bed, devices: Self.devices)
            let names = (1...2).map { "away\($0)-\(UInt32.random(in: 0 ... .max))" }
            let witness = try await BrokerWitness(bed, fleets: names)
            try await witness.isKept()
            for name in names { try await bed.makeFleet(name) }
            try await bed.outboxIsEmpty()

            let run = try await fleet.start(at: [server])
            try await run.wait(for: "certificates before the kill", 20) { $0.status == 200 }
            try await bed.peers.killBroker()
            let killed = Date().timeIntervalSince1970
            for _ in 2...4 {
                for name in names { try await bed.muster("truststore", "publish", "--fleet", name) }
            }
            try await run.wait(for: "certificates while the broker is away", 40) {
                $0.status == 200 && $0.began > killed
            }
            for name in names { #expect(try witness.versions(of: name) == [1]) }

            try await bed.peers.startBroker()
            let tries = try await run.ended()
            #expect(tries.allSatisfy { $0.status == 200 })
            #expect(fleet.unfinished(tries) == 0)
            #expect(try await fleet.missing(tries) == [])
            try await bed.outboxIsEmpty()
            try await witness.end()
            // In order, and none left out. QoS 1 is at least once, and what is retained may come again with the broker.
            for name in names {
                let versions = try witness.versions(of: name)
                let once = versions.reduce(into: [Int]()) { if $0.last != $1 { $0.append($1) } }
                #expect(once == [1, 2, 3, 4], "\(versions)")
            }
            #expect(server.program.status == nil, "the server was not to end")
            server.program.signal(SIGTERM)
            #expect(try await server.program.end(withinSeconds: 10) == 0)
        }
    }
}
