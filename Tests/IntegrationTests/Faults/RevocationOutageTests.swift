import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// The database or the broker is away while devices are revoked.
    @Suite struct RevocationOutageTests {
        private static let devices = 12

        @Test func `without its database a server refuses to revoke, and nothing is half done when it is back`()
            async throws
        {
            let bed = try await RevocationBed()
            let server = try await bed.server()
            var devices: [SystemDevice] = []
            for _ in 0..<Self.devices { devices.append(try await bed.device(at: server)) }

            // Some are revoked, some are under way, for the others there is no database.
            let statuses = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for (number, device) in devices.enumerated() {
                    group.addTask { (number, try await bed.revoke(device, at: server)) }
                    if number == Self.devices / 2 {
                        let (_, status) = try #require(try await group.next())
                        #expect(status == 200)
                        try await bed.peers.killDatabase("KILL")
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1.0] = $1.1 }
            }
            #expect(Set(statuses.values).isSubset(of: [200, 503]), "\(statuses)")
            #expect(try await bed.revoke(devices[0], at: server) == 503)
            let command = try await Program.run(
                MusterDev.executable("muster"),
                ["revoke", devices[1].id, "--fleet", bed.document.fleet, "--dev", bed.state + "/dev.json"]
            )
            #expect(command.exitStatus == 69, "\(command.errorOutput)")

            try await bed.peers.startDatabase()
            try await Eventually.holds("the server's recovery", seconds: 90) {
                try await Program.run("curl", ["-sSf", "-o", "/dev/null", server.publicURL + "/readyz"]).succeeded
            }
            for (number, device) in devices.enumerated() {
                let isRevoked = try await bed.progress(of: device, at: server) != nil
                if statuses[number] == 200 { #expect(isRevoked, "it was acknowledged") }
                if !isRevoked { #expect(try await PublicLook(server, device).verdict() == "good") }
                #expect(try await bed.revoke(device, at: server) == 200)
            }
            for device in devices { try await bed.isEverywhere(device, at: server) }
            let entries = try await bed.record.query("select count(*) from audit where action = 'device.revoked'")
            #expect(entries == "\(Self.devices)", "one for each device, however often it was asked for")
            try await RevocationKillTests.isWhole(bed)
            try await server.stop()
        }

        @Test func `while the broker stands still all else has a revocation, and the session ends when it goes on`()
            async throws
        {
            let bed = try await RevocationBed()
            let server = try await bed.server()
            let scene = try await SessionScene(bed)
            let lost = try await scene.listener()
            let kept = try await scene.listener()
            let broker = try await Shell.run("cat \"$1/mosquitto/mosquitto.pid\"", bed.state)
            try await Shell.run("kill -STOP \"$1\"", broker)
            #expect(try await bed.revoke(lost.device, at: server) == 200)
            // The agent asks the public front too, and has the list; whose session it is to end it has not heard.
            try await Eventually.holds("all but the broker's") {
                try await bed.progress(of: lost.device, at: server)?.lacking.isSubset(of: Self.behindTheBroker) == true
            }
            let lacking = try #require(try await bed.progress(of: lost.device, at: server)).lacking
            #expect(lacking.isSuperset(of: ["published", "sessions"]))
            #expect(try await PublicLook(server, lost.device).verdict() == "revoked")
            #expect(try await PublicLook(server, lost.device).isListed())
            #expect(!lost.isEnded)

            try await Shell.run("kill -CONT \"$1\"", broker)
            try await bed.isEverywhere(lost.device, at: server)
            try await Eventually.holds("the session's end") { lost.isEnded }
            #expect(try await SystemTests.MosquittoTests.isRefused(lost.device))
            #expect(kept.connects == 1 && !kept.isEnded)
            scene.agent.signal(SIGTERM)
            #expect(try await scene.agent.end(withinSeconds: 30) == 0, "\(scene.agent.log.suffix(3_000))")
            try await server.stop()
        }

        private static let behindTheBroker: Set<String> = ["published", "agents", "sessions"]
    }
}
