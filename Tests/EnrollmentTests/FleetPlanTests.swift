import Crypto
import Enrollment
import Foundation
import PKI
import TestKit
import Testing

/// A fleet brought to what an operator wrote down, and its trust store published anew.
struct FleetPlanTests {
    private func anchor(
        _ bench: AdministrationBench,
        _ name: String,
        _ limits: AnchorLimits = AnchorLimits()
    )
        -> FleetCreation.Anchor
    {
        .init(name: name, certificate: bench.world.manufacturer.der, rule: .subjectSerialNumber, limits: limits)
    }

    @Test func `a plan for a fleet that is not there makes it, with a first trust store`() async throws {
        let bench = try AdministrationBench()
        let limits = AnchorLimits(credential: BootstrapLimits(devicesMax: 5))
        let plan = bench.plan(policy: .approval, approvalRetry: .seconds(5), anchors: [anchor(bench, "one", limits)])
        #expect(try await bench.apply(plan))
        let made = try #require(bench.registry.fleet(bench.world.fleet.name))
        #expect(made.policy == .approval)
        #expect(made.approvalRetry == .seconds(5))
        #expect(made.anchors.map(\.name) == ["one"])
        #expect(made.anchors.map(\.limits) == [limits])
        #expect(made.anchors.map(\.keyChange) == [.replace])
        #expect(try bench.verify(#require(bench.stores.only), installed: 0).version == 1)
    }

    @Test func `the same plan again changes nothing that devices see`() async throws {
        let bench = try AdministrationBench()
        #expect(try await bench.apply(bench.plan()))
        #expect(try await bench.apply(bench.plan()) == false)
        #expect(bench.stores.map(\.version) == [1])
        #expect(bench.registry.fleet(bench.world.fleet.name)?.policy == .open)
    }

    @Test func `a changed policy and changed anchors need no trust store`() async throws {
        let bench = try AdministrationBench()
        _ = try await bench.apply(bench.plan(anchors: [anchor(bench, "one")]))
        let changed = bench.plan(policy: .allowlist, approvalRetry: .seconds(9), anchors: [anchor(bench, "two")])
        #expect(try await bench.apply(changed) == false)
        let fleet = try #require(bench.registry.fleet(bench.world.fleet.name))
        #expect(fleet.policy == .allowlist)
        #expect(fleet.approvalRetry == .seconds(9))
        #expect(fleet.anchors.map(\.name) == ["two"])
        #expect(bench.stores.map(\.version) == [1])
    }

    @Test func `a changed issuer signs, the one before stays trusted, and devices get the next trust store`()
        async throws
    {
        let bench = try AdministrationBench()
        _ = try await bench.apply(bench.plan())
        let next = try bench.issuer("next")
        #expect(try await bench.apply(bench.plan(next)) == false)
        #expect(bench.stores.map(\.version) == [1, 2])
        let content = try bench.verify(bench.stores[1], installed: 1)
        #expect(content.previousSHA256 == Hex.text(bench.stores[0].messageSHA256))
        #expect(
            bench.stores[1].certificates
                == [next.chain.der[0], bench.world.issuing.der, bench.world.root.der]
        )
        let standing = try #require(try await bench.registry.standing(of: bench.world.fleet.name))
        #expect(standing.trusted.map(\.name) == ["next", "example"])
        #expect(standing.trusted.first?.id == standing.signing)
        // Back again: the same two, in the other order, once more a version.
        #expect(try await bench.apply(bench.plan()) == false)
        #expect(bench.stores.map(\.version) == [1, 2, 3])
        #expect(bench.stores[2].certificates.first == bench.world.issuing.der)
        #expect(
            try await bench.registry.standing(of: bench.world.fleet.name)?.trusted.map(\.name) == ["example", "next"]
        )
    }

    @Test func `a plan that meets another change is applied on top of it, a bounded number of times`() async throws {
        let bench = try AdministrationBench()
        _ = try await bench.apply(bench.plan())
        bench.registry.loseChanges(4)
        #expect(try await bench.apply(bench.plan(bench.issuer("next"))) == false)
        #expect(bench.stores.map(\.version) == [1, 2])
        bench.registry.loseChanges(100)
        await #expect(throws: FleetAdministrationError.contended(bench.world.fleet.name)) {
            _ = try await bench.apply(bench.plan(policy: .approval))
        }
        #expect(bench.registry.fleet(bench.world.fleet.name)?.policy == .open)
    }

    @Test func `a trust store published anew says the same with a later end, and names the message before it`()
        async throws
    {
        let bench = try AdministrationBench()
        _ = try await bench.apply(bench.plan())
        _ = try await bench.apply(bench.plan(bench.issuer("next")))
        bench.clock.advance(by: 20 * .day)
        let version = try await bench.publish()
        #expect(version == bench.stores.last)
        #expect(version.version == 3)
        #expect(version.certificates == bench.stores[1].certificates)
        #expect(version.expiresAt == bench.clock.now.addingTimeInterval(30 * .day))
        let content = try bench.verify(version, installed: 2)
        #expect(content.previousSHA256 == Hex.text(bench.stores[1].messageSHA256))
        #expect(
            try await bench.registry.standing(of: bench.world.fleet.name)?.trusted.map(\.name) == ["next", "example"]
        )
    }

    @Test func `publishing meets other changes, and fleets that are not there`() async throws {
        let bench = try AdministrationBench()
        await #expect(throws: FleetAdministrationError.noSuchFleet(bench.world.fleet.name)) {
            _ = try await bench.publish()
        }
        _ = try await bench.apply(bench.plan())
        bench.registry.loseChanges(4)
        #expect(try await bench.publish().version == 2)
        bench.registry.loseChanges(5)
        await #expect(throws: FleetAdministrationError.contended(bench.world.fleet.name)) {
            _ = try await bench.publish()
        }
        #expect(bench.stores.map(\.version) == [1, 2])
    }
}
