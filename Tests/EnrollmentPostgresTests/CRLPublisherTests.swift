import Enrollment
import EnrollmentPostgres
import Foundation
import OpenSSL
import PKI
import Postgres
import TestKit
import Testing

/// CRLs from the record: signed, followed, taken over.
struct CRLPublisherTests {
    @Test func `every shard has its list before anything is revoked, and each names its URL`() async throws {
        try await CRLBench.with { bench in
            try await bench.publishing {
                try await bench.settled()
                for shard in 1...TestFleet.crlShards {
                    let list = try #require(try bench.list(shard))
                    #expect(list.places == ["http://pki.example/crl/example/\(shard).crl"] && list.entries.isEmpty)
                    #expect(list.number == 1 && list.thisUpdate == TestClock.start)
                }
                #expect(try #require(try bench.list(CRLShards.complete)).places.isEmpty)
            }
        }
    }

    @Test func `a revoked certificate is in its shard and in the list of all, in no other, and a hold ends`()
        async throws
    {
        try await CRLBench.with { bench in
            let (device, serial, shard) = try await bench.enroll("meter-1")
            let (other, otherSerial, otherShard) = try await bench.enroll("meter-2")
            try await bench.change(other, .revoke(.unspecified, comment: nil))
            try await bench.publishing {
                // What was revoked before there were lists is in the first ones.
                try await bench.lists(otherSerial, in: otherShard, for: 0)
                try await bench.settled()
                // Its list came first: others that are due wait for what was revoked.
                let earlier = try await bench.database.number(
                    """
                    select count(*) from crls l join crls o on l.shard not in (0, o.shard) and l.xmin::text::int8 <= o.xmin::text::int8
                    where o.shard = \(Int32(otherShard))
                    """
                )
                #expect(earlier == 0)
                let before = bench.crls.numbers
                try await bench.change(device, .revoke(.certificateHold, comment: nil))
                try await bench.lists(serial, in: shard, for: 6)
                for number in 1...TestFleet.crlShards where number != shard {
                    #expect(try bench.list(number)?.entries.contains { $0.serialNumber == serial } == false)
                    let scope = CRLScope(issuer: IssuerID(1), shard: number)
                    #expect(bench.crls.numbers[scope] == before[scope], "shard \(number) was signed for nothing")
                }
                try await bench.change(device, .release(comment: nil))
                try await bench.lists(serial, in: shard, for: nil)
                try await bench.change(device, .revoke(.superseded, comment: nil))
                try await bench.lists(serial, in: shard, for: 4)
                try await bench.change(device, .revoke(.keyCompromise, comment: nil))
                try await bench.lists(serial, in: shard, for: 1)
                let waiting = try await bench.database.number("select count(*) from crl_changes")
                #expect(waiting == 0)
                let delta = try #require(bench.crls.list(issuer: "example", shard: shard)?.delta.der)
                let changes = try RevocationList(der: delta, issuer: bench.world.issuer.der)
                #expect(changes.entries.contains { $0.serialNumber == serial && $0.reason == 1 })
            }
        }
    }

    //
    @Test func `lists are signed anew after half of their life, and lose what ended before the last one`() async throws
    {
        try await CRLBench.with { bench in
            let (device, serial, shard) = try await bench.enroll("meter-1")
            try await bench.change(device, .revoke(.keyCompromise, comment: nil))
            try await bench.publishing {
                try await bench.lists(serial, in: shard, for: 1)
                // The certificate lives for 90 days.
                for (days, isListed) in [(4.0, true), (88.0, true), (4.0, false)] {
                    let before = try #require(try bench.list(shard))
                    bench.clock.advance(by: days * .day)
                    try await eventually {
                        try (0...TestFleet.crlShards).allSatisfy { try bench.list($0)?.thisUpdate == bench.clock.now }
                    }
                    let list = try #require(try bench.list(shard))
                    #expect(list.number > before.number)
                    #expect(list.entries.contains { $0.serialNumber == serial } == isListed)
                }
            }
        }
    }

    //
    @Test func `of two servers one signs each part, and the other goes on with its numbers when it ends`() async throws
    {
        try await CRLBench.with { bench in
            let (device, serial, shard) = try await bench.enroll("meter-1")
            try await bench.publishing(2) {
                try await bench.settled()
                #expect(bench.crls.numbers.values.allSatisfy { $0 == 1 })
                let leaders = try await bench.database.superuser.query(
                    """
                    select l.pid from pg_locks l join pg_database d on d.oid = l.database
                    where l.locktype = 'advisory' and l.granted and d.datname = current_database()
                    """
                )
                // One for the shards and one for the list of all.
                #expect(leaders.count == 2)
                for leader in leaders {
                    let process: Int32 = try leader.decode()
                    _ = try await bench.database.superuser.query("select pg_terminate_backend(\(process))")
                }
                try await bench.change(device, .revoke(.keyCompromise, comment: nil))
                try await bench.lists(serial, in: shard, for: 1)
                #expect(try bench.list(shard)?.number == 2)
                #expect(try bench.list(CRLShards.complete)?.number == 2)
            }
        }
    }

    @Test func `no shard waits for the list of all, which may take long`() async throws {
        try await CRLBench.with { bench in
            let (device, serial, shard) = try await bench.enroll("meter-1")
            try await bench.publishing {
                try await bench.settled()
                try await bench.database.superuser.withTransaction { connection in
                    try await connection.query("select from crls where shard = \(Int32(CRLShards.complete)) for update")
                    try await bench.change(device, .revoke(.keyCompromise, comment: nil))
                    try await eventually {
                        try bench.list(shard)?.entries.contains { $0.serialNumber == serial } == true
                    }
                    #expect(try bench.list(CRLShards.complete)?.number == 1)
                }
                try await bench.lists(serial, in: shard, for: 1)
            }
        }
    }

    @Test func `a URL that certificates name for the first time is in all shards' lists soon, beside the old`()
        async throws
    {
        try await CRLBench.with { bench in
            try await bench.publishing {
                try await bench.settled()
                _ = try await bench.database.owner.query(
                    """
                    insert into crl_urls (issuer_id, url, first_used_at)
                    values (1, 'http://moved.example/{shard}.crl', \(TestClock.start.addingTimeInterval(60)))
                    """
                )
                try await eventually {
                    try (1...TestFleet.crlShards).allSatisfy { shard in
                        try bench.list(shard)?.places == [
                            "http://pki.example/crl/example/\(shard).crl", "http://moved.example/\(shard).crl",
                        ]
                    }
                }
            }
        }
    }
}
