import Crypto
import Enrollment
import Foundation
import PKI
import TestKit
import Testing

struct FleetAdministrationTests {
    @Test func `a new fleet has a signed trust store of version 1 that a device accepts`() async throws {
        let bench = try AdministrationBench()
        #expect(try await bench.create())
        let store = try #require(bench.stores.only)
        let content = try bench.verify(store, installed: 0)
        #expect(content.version == 1)
        #expect(content.fleet == "meters")
        #expect(content.previousSHA256 == nil)
        #expect(content.anchors.count == 2)
        #expect(store.certificates == [bench.world.issuing.der, bench.world.root.der])
        #expect(store.expiresAt == bench.clock.now.addingTimeInterval(30 * .day))
    }

    @Test func `a fleet that is there already stays as it is`() async throws {
        let bench = try AdministrationBench()
        #expect(try await bench.create())
        #expect(try await bench.create() == false)
        #expect(bench.stores.count == 1)
    }

    @Test func `the version rises when the CAs change, names the message before it, and not otherwise`() async throws {
        let bench = try AdministrationBench()
        _ = try await bench.create()
        let next = IssuerRegistration(
            name: "next",
            chain: try bench.world.root.signed("Next Issuing CA").chain(bench.world.root)
        )
        try await bench.change(signing: bench.present, alsoTrusted: [])
        #expect(bench.stores.count == 1)
        try await bench.change(signing: bench.present, alsoTrusted: [next])
        try await bench.change(signing: bench.present, alsoTrusted: [next])
        #expect(bench.stores.count == 2)
        try await bench.change(signing: next, alsoTrusted: [])
        #expect(bench.stores.map(\.version) == [1, 2, 3])
        for (before, after) in zip(bench.stores, bench.stores.dropFirst()) {
            #expect(before.messageSHA256 == Array(SHA256.hash(data: before.message)))
            let content = try bench.verify(after, installed: before.version)
            #expect(content.previousSHA256 == Hex.text(before.messageSHA256))
        }
        #expect(try bench.verify(bench.stores[1], installed: 1).anchors.count == 3)
        #expect(try bench.verify(bench.stores[2], installed: 2).anchors.count == 2)
    }

    @Test func `a change that meets another one is made anew on top of it, a bounded number of times`() async throws {
        let bench = try AdministrationBench()
        _ = try await bench.create()
        let next = IssuerRegistration(
            name: "next",
            chain: try bench.world.root.signed("Next Issuing CA").chain(bench.world.root)
        )
        bench.registry.loseChanges(2)
        try await bench.change(signing: next, alsoTrusted: [bench.present])
        #expect(bench.stores.map(\.version) == [1, 2])
        bench.registry.loseChanges(100)
        await #expect(throws: FleetAdministrationError.contended(bench.world.fleet.name)) {
            try await bench.change(signing: bench.present, alsoTrusted: [])
        }
    }

    @Test func `a fleet that is not there cannot be changed`() async throws {
        let bench = try AdministrationBench()
        await #expect(throws: FleetAdministrationError.noSuchFleet(bench.world.fleet.name)) {
            try await bench.change(signing: bench.present, alsoTrusted: [])
        }
    }
}
