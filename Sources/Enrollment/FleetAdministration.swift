import Crypto
package import Foundation
package import PKI

/// The use cases that make fleets and change their CAs. Each ends with a signed trust store in the record and its
/// event in the outbox, in one transaction.
package struct FleetAdministration: Sendable {
    /// How often a change that met another one is tried anew.
    private static let roundsMax = 5

    private let registry: any FleetRegistry
    private let signer: TrustStoreSigner
    private let trustStoreLifetime: Duration
    private let now: @Sendable () -> Date

    package init(
        registry: any FleetRegistry,
        signer: TrustStoreSigner,
        trustStoreLifetime: Duration,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.registry = registry
        self.signer = signer
        self.trustStoreLifetime = trustStoreLifetime
        self.now = now
    }

    /// Makes a fleet whose certificates `issuer` signs. A fleet of that name that exists already stays as it is.
    /// - Returns: False if it was there already.
    package func createFleet(
        name: FleetName,
        policy: EnrollmentPolicy,
        profile: CertificateProfile,
        issuer: IssuerRegistration,
        anchors: [FleetCreation.Anchor],
        actor: String
    ) async throws -> Bool {
        let at = now()
        if try await registry.standing(of: name) != nil { return false }
        let id = try await registry.register(issuer, actor: actor, at: at)
        let trustStore = try sign(TrustStore(chains: [issuer.chain]), fleet: name, after: nil, at: at)
        return try await registry.create(
            FleetCreation(name: name, policy: policy, profile: profile, issuer: id, anchors: anchors),
            trustStore: trustStore,
            actor: actor,
            at: at
        )
    }

    /// Makes a fleet, or brings it to what the plan says. A new issuer signs from then on, and those before it are
    /// still trusted. Certificates that were issued stay as they are.
    /// - Returns: True if the fleet was made.
    package func apply(_ plan: FleetPlan, actor: String) async throws -> Bool {
        for _ in 0..<Self.roundsMax {
            let at = now()
            let id = try await registry.register(plan.issuer, actor: actor, at: at)
            let fleet = FleetCreation(
                name: plan.name,
                policy: plan.policy,
                approvalRetry: plan.approvalRetry,
                reenrollment: plan.reenrollment,
                profile: plan.profile,
                issuer: id,
                anchors: plan.anchors
            )
            guard let standing = try await registry.standing(of: plan.name) else {
                let first = try sign(TrustStore(chains: [plan.issuer.chain]), fleet: plan.name, after: nil, at: at)
                if try await registry.create(fleet, trustStore: first, actor: actor, at: at) { return true }
                continue
            }
            let before = standing.trusted.filter { $0.id != id }
            var trustStore: TrustStoreVersion?
            if standing.signing != id {
                let store = try TrustStore(chains: [plan.issuer.chain] + before.map(\.chain))
                trustStore = try sign(store, fleet: plan.name, after: standing.trustStore, at: at)
            }
            let changed = try await registry.update(
                fleet,
                trusted: [id] + before.map(\.id),
                trustStore: trustStore,
                actor: actor,
                at: at
            )
            if changed { return false }
        }
        throw FleetAdministrationError.contended(plan.name)
    }

    /// Signs what the fleet trusts now once more, as the next version, and publishes it.
    /// - Returns: The version.
    package func publishTrustStore(of name: FleetName, actor: String) async throws -> TrustStoreVersion {
        for _ in 0..<Self.roundsMax {
            let at = now()
            guard let standing = try await registry.standing(of: name) else {
                throw FleetAdministrationError.noSuchFleet(name)
            }
            let signingFirst =
                standing.trusted.filter { $0.id == standing.signing }
                + standing.trusted.filter { $0.id != standing.signing }
            let version = try sign(
                TrustStore(chains: signingFirst.map(\.chain)),
                fleet: name,
                after: standing.trustStore,
                at: at
            )
            let changed = try await registry.change(
                name,
                signing: standing.signing,
                trusted: standing.trusted.map(\.id),
                trustStore: version,
                actor: actor,
                at: at
            )
            if changed { return version }
        }
        throw FleetAdministrationError.contended(name)
    }

    /// Changes the CAs that a fleet trusts: `signing` signs from now on, and `alsoTrusted` are trusted beside it.
    /// Nothing happens if all is so already.
    package func changeIssuers(
        of name: FleetName,
        signing: IssuerRegistration,
        alsoTrusted: [IssuerRegistration],
        actor: String
    ) async throws {
        for _ in 0..<Self.roundsMax {
            let at = now()
            guard let standing = try await registry.standing(of: name) else {
                throw FleetAdministrationError.noSuchFleet(name)
            }
            let store = try TrustStore(chains: [signing.chain] + alsoTrusted.map(\.chain))
            let signingID = try await registry.register(signing, actor: actor, at: at)
            var trusted = [signingID]
            for issuer in alsoTrusted {
                trusted.append(try await registry.register(issuer, actor: actor, at: at))
            }
            if standing.signing == signingID, Set(standing.trusted.map(\.id)) == Set(trusted),
                standing.trustStore?.certificates == store.der
            {
                return
            }
            let version = try sign(store, fleet: name, after: standing.trustStore, at: at)
            let changed = try await registry.change(
                name,
                signing: signingID,
                trusted: trusted,
                trustStore: version,
                actor: actor,
                at: at
            )
            if changed { return }
        }
        throw FleetAdministrationError.contended(name)
    }

    private func sign(
        _ store: TrustStore,
        fleet: FleetName,
        after previous: TrustStoreVersion?,
        at: Date
    ) throws -> TrustStoreVersion {
        let expiresAt = at.addingTimeInterval(trustStoreLifetime.inSeconds)
        let version = (previous?.version ?? 0) + 1
        let content = TrustStoreContent(
            store: store,
            fleet: fleet,
            version: version,
            issuedAt: at,
            expiresAt: expiresAt,
            previousSHA256: previous?.messageSHA256
        )
        let message = try TrustStoreMessage.sign(content, with: signer, now: at)
        return TrustStoreVersion(
            version: version,
            issuedAt: at,
            expiresAt: expiresAt,
            message: message,
            messageSHA256: [UInt8](SHA256.hash(data: message)),
            certificates: store.der
        )
    }
}

/// A fleet as an operator wants it, checked.
package struct FleetPlan: Sendable {
    package let name: FleetName
    package let policy: EnrollmentPolicy
    package let approvalRetry: Duration
    package let reenrollment: ReenrollmentPolicy
    package let profile: CertificateProfile
    package let issuer: IssuerRegistration
    package let anchors: [FleetCreation.Anchor]

    package init(
        name: FleetName,
        policy: EnrollmentPolicy,
        approvalRetry: Duration,
        reenrollment: ReenrollmentPolicy = .standard,
        profile: CertificateProfile,
        issuer: IssuerRegistration,
        anchors: [FleetCreation.Anchor]
    ) {
        self.name = name
        self.policy = policy
        self.approvalRetry = approvalRetry
        self.reenrollment = reenrollment
        self.profile = profile
        self.issuer = issuer
        self.anchors = anchors
    }
}

/// Why a fleet was not changed.
package enum FleetAdministrationError: Error, Hashable, CustomStringConvertible {
    case noSuchFleet(FleetName)
    case contended(FleetName)

    package var description: String {
        switch self {
        case .noSuchFleet(let name): "there is no fleet \(name)"
        case .contended(let name): "the fleet \(name) was changed by others again and again; try again"
        }
    }
}
