import Foundation
import OpenSSL
import PKI
import SwiftASN1
import TestKit
import Testing
import X509

/// Lists as they follow one another, and the shards that they are of.
struct CRLIssuanceTests {
    private static let places = ["http://pki.example/crl/example/1.crl"]

    private static func revoked(_ last: UInt8, _ reason: UInt8 = 1) -> RevokedCertificate {
        RevokedCertificate(
            serialNumber: [0x4D, 0, 0, 0, 0, 0, 0, 0, last],
            revokedAt: TestClock.start.addingTimeInterval(0.5),
            reason: reason
        )
    }

    private static func next(
        _ world: TestFleet,
        after previous: SignedCRL?,
        _ entries: [RevokedCertificate],
        isBase: Bool = false,
        at: Date
    ) throws -> SignedCRL {
        try world.issuer.sign(
            CRLOrder(
                previous: previous,
                entries: entries,
                places: places,
                freshest: [],
                isBase: isBase,
                lifetime: .seconds(7 * 86_400)
            ),
            at: at
        )
    }

    /// What a relying party has that knows the base and takes the delta (RFC 5280 section 5.2.4).
    private static func combined(_ list: SignedCRL, _ world: TestFleet) throws -> Set<RevocationList.Entry> {
        let base = try RevocationList(der: list.base, issuer: world.issuer.der)
        let delta = try RevocationList(der: list.delta, issuer: world.issuer.der)
        #expect(delta.baseNumber == base.number && delta.number == list.number && delta.places == base.places)
        var entries = Dictionary(uniqueKeysWithValues: base.entries.map { ($0.serialNumber, $0) })
        for entry in delta.entries {
            entries[entry.serialNumber] = entry.reason == RevocationList.removeFromCRL ? nil : entry
        }
        return Set(entries.values)
    }

    //
    @Test func `numbers rise and times never run backwards, whatever the clock does`() throws {
        let world = try TestFleet()
        let first = try Self.next(world, after: nil, [], isBase: true, at: TestClock.start)
        let back = try Self.next(world, after: first, [], at: TestClock.start.addingTimeInterval(-3600))
        let later = try Self.next(world, after: back, [], at: TestClock.start.addingTimeInterval(60))
        #expect([first.number, back.number, later.number] == [1, 2, 3])
        #expect(first.thisUpdate == TestClock.start && back.thisUpdate == first.thisUpdate)
        #expect(back.nextUpdate == first.nextUpdate)
        #expect(later.thisUpdate == TestClock.start.addingTimeInterval(60))
        #expect(later.nextUpdate == later.thisUpdate.addingTimeInterval(7 * .day))
        let read = try RevocationList(der: later.list, issuer: world.issuer.der)
        #expect(read.number == 3 && read.thisUpdate == later.thisUpdate && read.nextUpdate == later.nextUpdate)
        #expect(read.places == Self.places && read.baseNumber == nil)
    }

    //
    @Test func `a delta makes the present list of its base, also when holds ended and reasons changed`() throws {
        let world = try TestFleet()
        let base = try Self.next(
            world,
            after: nil,
            [Self.revoked(1), Self.revoked(2, 6), Self.revoked(3, 6)],
            isBase: true,
            at: TestClock.start
        )
        #expect(try RevocationList(der: base.delta, issuer: world.issuer.der).entries.isEmpty)
        var last = base
        for entries in [
            [Self.revoked(1), Self.revoked(2, 6), Self.revoked(3, 6), Self.revoked(4)],
            [Self.revoked(1), Self.revoked(3, 1), Self.revoked(4)], [Self.revoked(4)], [],
        ] {
            last = try Self.next(world, after: last, entries, at: TestClock.start.addingTimeInterval(60))
            let list = try RevocationList(der: last.list, issuer: world.issuer.der)
            #expect(try Self.combined(last, world) == Set(list.entries))
            #expect(list.entries.map(\.serialNumber) == entries.map(\.serialNumber))
            #expect(list.entries.allSatisfy { $0.revokedAt == TestClock.start })
            #expect(last.base == base.list)
        }
        let fresh = try Self.next(world, after: last, [Self.revoked(5)], isBase: true, at: TestClock.start)
        #expect(fresh.base == fresh.list)
        #expect(try Self.combined(fresh, world).count == 1)
    }

    //
    @Test func `a certificate names its shard, which follows from its serial number`() throws {
        let world = try TestFleet()
        let key = try DeviceKey.make()
        var seen: Set<Int> = []
        for number in 0..<60 {
            let issued = try world.certificate(for: "meter-\(number)", key: key.publicKey)
            seen.insert(issued.crlShard)
            let certificate = try Certificate(derEncoded: issued.der)
            let points: [(ASN1ObjectIdentifier, String)] = [([2, 5, 29, 31], "crl"), ([2, 5, 29, 46], "delta.crl")]
            for (oid, ending) in points {
                let point = try #require(certificate.extensions[oid: oid])
                let url = "http://pki.example/crl/example/\(issued.crlShard).\(ending)"
                #expect(point.value.firstRange(of: Array(url.utf8)) != nil && !point.critical)
            }
        }
        #expect(seen == Set(1...TestFleet.crlShards))
    }

    @Test func `a profile that names one URL for all has no shards, and one that names none takes the front's`() throws
    {
        let world = try TestFleet()
        let bare = try CertificateProfile(organization: "Example Works", trustDomain: "fleet.example")
        #expect(bare.reached(at: nil) == bare)
        let reached = bare.reached(at: "http://pki.example")
        #expect(reached.crlURLs == ["http://pki.example/crl/{issuer}/{shard}.crl"])
        #expect(reached.issuerURLs == ["http://pki.example/ca/{issuer}.cer"])
        let own = try CertificateProfile(
            organization: "Example Works",
            trustDomain: "fleet.example",
            crlURLs: ["http://crl.example/{issuer}.crl"]
        )
        #expect(own.reached(at: "http://pki.example").crlURLs == own.crlURLs)
        #expect(throws: ProfileDefect.self) {
            try CertificateProfile(
                organization: "Example Works",
                trustDomain: "fleet.example",
                crlURLs: own.crlURLs,
                deltaCRLURLs: ["http://crl.example/{issuer}/{shard}.delta.crl"]
            )
        }
        let template = try CertificateTemplate(
            names: world.names("meter-1"),
            publicKey: DeviceKey.make().publicKey,
            profile: own,
            issuer: world.issuer,
            now: TestClock.start
        )
        let point = try #require(template.extensions[oid: [2, 5, 29, 31]])
        #expect(point.value.firstRange(of: Array("http://crl.example/example.crl".utf8)) != nil)
        let linted = try CertificateLint.lint(
            template,
            names: world.names("meter-1"),
            profile: own,
            issuer: world.issuer
        )
        #expect(try world.issuer.sign(linted).crlShard == CRLShards.complete)
    }
}
