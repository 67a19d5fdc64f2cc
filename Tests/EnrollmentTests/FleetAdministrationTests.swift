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

private struct AdministrationBench {
    let world: TestFleet
    let clock = TestClock()
    let registry = InMemoryFleetRegistry()
    let administration: FleetAdministration

    init() throws {
        world = try TestFleet()
        let signer = try world.root.signed("Trust Store Signer", role: .trustStoreSigner)
        let clock = clock
        administration = FleetAdministration(
            registry: registry,
            signer: try TrustStoreSigner(key: signer.key, chain: [signer.der]),
            trustStoreLifetime: .seconds(30 * 86_400),
            now: { clock.now }
        )
    }

    var present: IssuerRegistration { IssuerRegistration(name: "example", chain: world.issuer.chain) }
    var stores: [TrustStoreVersion] { registry.trustStores(of: world.fleet.name) }

    func create() async throws -> Bool {
        try await administration.createFleet(
            name: world.fleet.name,
            policy: .open,
            profile: world.fleet.profile,
            issuer: present,
            anchors: [.init(name: "manufacturer", certificate: world.manufacturer.der, rule: .subjectSerialNumber)],
            actor: "operator ada"
        )
    }

    func change(signing: IssuerRegistration, alsoTrusted: [IssuerRegistration]) async throws {
        clock.advance(by: 1)
        try await administration.changeIssuers(
            of: world.fleet.name,
            signing: signing,
            alsoTrusted: alsoTrusted,
            actor: "operator ada"
        )
    }

    func verify(_ store: TrustStoreVersion, installed: Int64) throws -> TrustStoreContent {
        try TrustStoreMessage.verify(
            store.message,
            anchors: [world.root.der],
            fleet: world.fleet.name,
            installedVersion: installed,
            now: clock.now
        )
    }
}
