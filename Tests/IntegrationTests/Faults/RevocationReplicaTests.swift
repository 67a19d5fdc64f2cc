import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// Two servers on one database, of which one signs the CRLs.
    @Suite struct RevocationReplicaTests {
        private static let leads = "this server signs the issuer's CRLs now"

        /// Revokes a device at one, and waits until both say so.
        private static func revoke(_ bed: RevocationBed, at one: FaultServer, and others: [FaultServer]) async throws {
            let device = try await bed.device(at: one)
            #expect(try await bed.revoke(device, at: one) == 200)
            for server in [one] + others { try await bed.isEverywhere(device, at: server) }
        }

        @Test
        func `both servers tell of a revocation, and one signs when the other is killed or stands still`() async throws
        {
            let bed = try await RevocationBed()
            let one = try await bed.server()
            try await Eventually.holds("the first server to sign") { one.program.log.contains(Self.leads) }
            let other = try await bed.replica()
            try await Self.revoke(bed, at: one, and: [other])
            try await Self.revoke(bed, at: other, and: [one])
            #expect(!other.program.log.contains(Self.leads), "two sign for one issuer")

            try await one.kill()
            try await Self.revoke(bed, at: other, and: [])
            #expect(other.program.log.contains(Self.leads))
            let back = try await one.started()
            try await Self.revoke(bed, at: back, and: [other])
            #expect(!back.program.log.contains(Self.leads), "two sign for one issuer")

            // One that stands still holds on to nothing, and knows when it goes on what happened meanwhile.
            let device = try await bed.device(at: back)
            #expect(try await PublicLook(other, device).verdict() == "good")
            other.program.signal(SIGSTOP)
            #expect(try await bed.revoke(device, at: back) == 200)
            try await Eventually.holds("the list of the one that still runs", seconds: 180) {
                try await PublicLook(back, device).isListed()
            }
            try await bed.isEverywhere(device, at: back)
            #expect(back.program.log.contains(Self.leads))
            other.program.signal(SIGCONT)
            try await bed.isEverywhere(device, at: other)
            for kind in PublicLook.Kind.allCases {
                try await Eventually.holds("the same list at both") {
                    try await PublicLook(back, device).list(kind).number == PublicLook(other, device).list(kind).number
                }
            }
            try await Self.revoke(bed, at: other, and: [back])
            // No number twice.
            let doubles = try await bed.record.query(
                "select count(*) from (select from crl_signings group by issuer_id, shard, number having count(*) > 1) d"
            )
            #expect(doubles == "0")
            try await RevocationKillTests.isWhole(bed)
            try await other.stop()
            try await back.stop()
        }
    }
}
