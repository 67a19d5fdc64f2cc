package import Enrollment
package import Foundation
package import PKI
import Synchronization

/// Fleets in memory, with PostgreSQL's semantics: a change goes through only with the trust store's next version.
package final class InMemoryFleetRegistry: FleetRegistry {
    private struct Entry {
        var fleet: FleetCreation
        var signing: IssuerID
        var trusted: [IssuerID]
        var versions: [TrustStoreVersion]

        func isNext(_ trustStore: TrustStoreVersion) -> Bool {
            trustStore.version == (versions.last?.version ?? 0) + 1
        }
    }

    private struct State {
        var issuers: [IssuerRegistration] = []
        var fleets: [FleetName: Entry] = [:]
        var changesToLose = 0

        mutating func losesChange() -> Bool {
            guard changesToLose > 0 else { return false }
            changesToLose -= 1
            return true
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// The trust stores of a fleet, oldest first: each was one event.
    package func trustStores(of fleet: FleetName) -> [TrustStoreVersion] {
        state.withLock { $0.fleets[fleet]?.versions ?? [] }
    }

    /// A fleet as it was made or last updated.
    package func fleet(_ name: FleetName) -> FleetCreation? { state.withLock { $0.fleets[name]?.fleet } }

    /// Makes the next changes meet another one that came first.
    package func loseChanges(_ count: Int) { state.withLock { $0.changesToLose = count } }

    package func register(
        _ issuer: IssuerRegistration,
        actor: String,
        at: Date
    ) async throws(RecordError) -> IssuerID {
        state.withLock { state in
            if let found = state.issuers.firstIndex(where: { $0.chain.der[0] == issuer.chain.der[0] }) {
                return IssuerID(Int64(found) + 1)
            }
            state.issuers.append(issuer)
            return IssuerID(Int64(state.issuers.count))
        }
    }

    package func standing(of fleet: FleetName) async throws(RecordError) -> FleetStanding? {
        state.withLock { state in
            state.fleets[fleet].map { found in
                FleetStanding(
                    signing: found.signing,
                    trusted: found.trusted.map { id in
                        let issuer = state.issuers[Int(id.value) - 1]
                        return TrustedIssuer(id: id, name: issuer.name, chain: issuer.chain, rollover: [])
                    },
                    trustStore: found.versions.last
                )
            }
        }
    }

    package func create(
        _ fleet: FleetCreation,
        trustStore: TrustStoreVersion,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool {
        state.withLock { state in
            guard state.fleets[fleet.name] == nil else { return false }
            state.fleets[fleet.name] = Entry(
                fleet: fleet,
                signing: fleet.issuer,
                trusted: [fleet.issuer],
                versions: [trustStore]
            )
            return true
        }
    }

    package func update(
        _ fleet: FleetCreation,
        trusted: [IssuerID],
        trustStore: TrustStoreVersion?,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool {
        state.withLock { state in
            if state.losesChange() { return false }
            guard var entry = state.fleets[fleet.name] else { return false }
            entry.fleet = fleet
            entry.signing = fleet.issuer
            if let trustStore {
                guard entry.isNext(trustStore) else { return false }
                entry.trusted = trusted
                entry.versions.append(trustStore)
            }
            state.fleets[fleet.name] = entry
            return true
        }
    }

    package func change(
        _ fleet: FleetName,
        signing: IssuerID,
        trusted: [IssuerID],
        trustStore: TrustStoreVersion,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool {
        state.withLock { state in
            if state.losesChange() { return false }
            guard var entry = state.fleets[fleet], entry.isNext(trustStore) else { return false }
            entry.signing = signing
            entry.trusted = trusted
            entry.versions.append(trustStore)
            state.fleets[fleet] = entry
            return true
        }
    }
}
