import Enrollment
import PKI
import TestKit

/// The use cases that make and change fleets, over the registry in memory.
struct AdministrationBench {
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

    /// The plan of the bench's fleet.
    func plan(
        _ issuer: IssuerRegistration? = nil,
        policy: EnrollmentPolicy = .open,
        approvalRetry: Duration = .seconds(60),
        anchors: [FleetCreation.Anchor] = []
    ) -> FleetPlan {
        FleetPlan(
            name: world.fleet.name,
            policy: policy,
            approvalRetry: approvalRetry,
            profile: world.fleet.profile,
            issuer: issuer ?? present,
            anchors: anchors
        )
    }

    func apply(_ plan: FleetPlan) async throws -> Bool {
        clock.advance(by: 1)
        return try await administration.apply(plan, actor: "operator ada")
    }

    func publish() async throws -> TrustStoreVersion {
        clock.advance(by: 1)
        return try await administration.publishTrustStore(of: world.fleet.name, actor: "operator ada")
    }

    /// Another issuing CA under the same root.
    func issuer(_ name: String) throws -> IssuerRegistration {
        IssuerRegistration(name: name, chain: try world.root.signed("Issuing CA \(name)").chain(world.root))
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
