import Enrollment
import Foundation
import PKI

/// A registry that has this process serve what was changed before the change returns: who applied a fleet may send a
/// device at once.
struct ServingFleetRegistry: FleetRegistry {
    let registry: any FleetRegistry
    let afterChange: @Sendable () async -> Void

    func register(
        _ issuer: IssuerRegistration,
        actor: String,
        at: Date
    ) async throws(RecordError) -> IssuerID {
        try await registry.register(issuer, actor: actor, at: at)
    }

    func standing(of fleet: FleetName) async throws(RecordError) -> FleetStanding? {
        try await registry.standing(of: fleet)
    }

    func create(
        _ fleet: FleetCreation,
        trustStore: TrustStoreVersion,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool {
        let made = try await registry.create(fleet, trustStore: trustStore, actor: actor, at: at)
        if made { await afterChange() }
        return made
    }

    func update(
        _ fleet: FleetCreation,
        trusted: [IssuerID],
        trustStore: TrustStoreVersion?,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool {
        let made = try await registry.update(fleet, trusted: trusted, trustStore: trustStore, actor: actor, at: at)
        if made { await afterChange() }
        return made
    }

    func change(
        _ fleet: FleetName,
        signing: IssuerID,
        trusted: [IssuerID],
        trustStore: TrustStoreVersion,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool {
        let made = try await registry.change(
            fleet,
            signing: signing,
            trusted: trusted,
            trustStore: trustStore,
            actor: actor,
            at: at
        )
        if made { await afterChange() }
        return made
    }
}
