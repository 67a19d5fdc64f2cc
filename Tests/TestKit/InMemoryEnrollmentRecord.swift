package import Enrollment
import Foundation
package import PKI
import Synchronization

/// The record of enrollments in memory, with PostgreSQL's semantics: a device moves to a new certificate only from the
/// one that the decision saw, a key is bound to its device for good, and limits hold at the commit.
package final class InMemoryEnrollmentRecord: EnrollmentRecord {
    private struct Name: Hashable {
        let fleet: FleetID
        let device: DeviceID
    }

    private struct Pair: Hashable {
        let name: Name
        let key: [UInt8]
    }

    private struct Credential: Hashable {
        let fleet: FleetID
        let sha256: [UInt8]
    }

    private struct State {
        var devices: [Name: KnownDevice] = [:]
        var keys: [[UInt8]: Name] = [:]
        /// Each with the number of the change that revoked it.
        var revokedKeys: [[UInt8]: Int64] = [:]
        /// The number of the change that revoked the device last.
        var revokedSince: [Name: Int64] = [:]
        var registrations: [Name: Registration] = [:]
        var approvals: [Pair: ApprovalState] = [:]
        var requests: [ApprovalRequest] = []
        var marks: [Credential: RefusalReason] = [:]
        var ledger = BootstrapLedger()
        var attempts: [Attempt] = []
        var issued: [IssuedCertificate] = []
        var audit: [AuditEntry] = []
        var failure: RecordError?
        var commitFailure: RecordError?
        var questions = 0
    }

    private let state = Mutex(State())
    private let beforeCommit: @Sendable (EnrollmentEntry) async -> Void

    /// - Parameter beforeCommit: Runs before each commit takes effect: where another enrollment can come first.
    package init(beforeCommit: @escaping @Sendable (EnrollmentEntry) async -> Void = { _ in }) {
        self.beforeCommit = beforeCommit
    }

    /// Every attempt that was recorded, in order.
    package var attempts: [Attempt] { state.withLock { $0.attempts } }
    /// Every certificate that was recorded, in order.
    package var issued: [IssuedCertificate] { state.withLock { $0.issued } }
    /// What the audit log holds.
    package var audit: [AuditEntry] { state.withLock { $0.audit } }
    /// What devices that wait asked, in order: each question once.
    package var approvalRequests: [ApprovalRequest] { state.withLock { $0.requests } }
    /// How often the record was asked for a situation.
    package var questions: Int { state.withLock { $0.questions } }

    /// Makes every later call fail so; nil ends that.
    package func fail(with error: RecordError?) { state.withLock { $0.failure = error } }

    /// Makes every later commit fail so, while questions are still answered; nil ends that.
    package func failCommits(with error: RecordError?) { state.withLock { $0.commitFailure = error } }

    /// Changes the device's standing, as an operator does.
    /// - Returns: What it did; nil if the device is not known.
    @discardableResult
    package func change(_ device: DeviceID, of fleet: FleetID, _ change: StandingChange) -> StandingChange.Effect? {
        let name = Name(fleet: fleet, device: device)
        return state.withLock { state in
            guard let known = state.devices[name] else { return nil }
            let effect = change.effect(on: known.standing.reason)
            let changes = known.standing.changes + 1
            var reason: RevocationReason?
            if case .revoke(let wanted, _) = change { reason = wanted }
            let standing = DeviceStanding(reason: reason, changes: changes)
            switch effect {
            case .nothing, .refuse: break
            case .revoke:
                for key in state.keys.filter({ $0.value == name }).keys where state.revokedKeys[key] == nil {
                    state.revokedKeys[key] = changes
                }
                state.revokedSince[name] = changes
                state.approvals = state.approvals.filter { $0.key.name != name }
                state.devices[name] = known.with(isRevoked: true, standing: standing)
            case .restate:
                state.approvals = state.approvals.filter { $0.key.name != name }
                state.devices[name] = known.with(standing: standing)
            case .release:
                let since = state.revokedSince[name]
                for key in state.keys.filter({ $0.value == name }).keys where state.revokedKeys[key] == since {
                    state.revokedKeys[key] = nil
                }
                state.devices[name] = known.with(isRevoked: false, standing: standing)
            case .clear: state.devices[name] = known.with(standing: standing)
            }
            return effect
        }
    }

    /// Notes that the device used its current certificate.
    package func useCurrent(_ device: DeviceID, of fleet: FleetID) {
        let name = Name(fleet: fleet, device: device)
        state.withLock { state in
            if let known = state.devices[name] { state.devices[name] = known.with(isUsed: true) }
        }
    }

    /// Registers the device, or makes its registration say this; nil removes it.
    package func register(_ device: DeviceID, _ registration: Registration?, of fleet: FleetID) {
        state.withLock { $0.registrations[Name(fleet: fleet, device: device)] = registration }
    }

    /// An operator's word on the device with this key.
    package func decide(_ device: DeviceID, publicKeySHA256: [UInt8], of fleet: FleetID, _ decision: ApprovalState) {
        let pair = Pair(name: Name(fleet: fleet, device: device), key: publicKeySHA256)
        state.withLock { $0.approvals[pair] = decision }
    }

    /// Blocks the anchor, or unblocks it.
    package func setBlock(of anchor: AnchorID, isBlocked: Bool) {
        state.withLock { $0.ledger.setBlock(.anchor(anchor), isBlocked: isBlocked) }
    }

    /// Blocks the bootstrap credential, or unblocks it.
    package func setBlock(ofCredential sha256: [UInt8], of fleet: FleetID, isBlocked: Bool) {
        state.withLock { $0.ledger.setBlock(.credential(fleet, sha256), isBlocked: isBlocked) }
    }

    /// Gives the bootstrap credential limits of its own.
    package func limit(credential sha256: [UInt8], of fleet: FleetID, _ limits: BootstrapLimits) {
        state.withLock { $0.ledger.setLimits(.credential(fleet, sha256), limits) }
    }

    /// Why the bootstrap credential is marked for the operator; nil if it is not.
    package func mark(ofCredential sha256: [UInt8], of fleet: FleetID) -> RefusalReason? {
        state.withLock { $0.marks[Credential(fleet: fleet, sha256: sha256)] }
    }

    /// Takes the mark off.
    package func clearMark(ofCredential sha256: [UInt8], of fleet: FleetID) {
        state.withLock { $0.marks[Credential(fleet: fleet, sha256: sha256)] = nil }
    }

    /// How the anchor and the credential stand.
    package func standing(of bootstrap: EnrollmentQuestion.Bootstrap, fleet: FleetID) -> BootstrapStanding {
        state.withLock { $0.ledger.standing(of: bootstrap, fleet: fleet) }
    }

    package func situation(of question: EnrollmentQuestion) async throws(RecordError) -> EnrollmentSituation {
        let answer: Result<EnrollmentSituation, RecordError> = state.withLock { state in
            state.questions += 1
            if let failure = state.failure { return .failure(failure) }
            return .success(Self.situation(of: question, state))
        }
        return try answer.get()
    }

    private static func situation(of question: EnrollmentQuestion, _ state: State) -> EnrollmentSituation {
        let name = Name(fleet: question.fleet, device: question.device)
        let owner = state.keys[question.publicKeySHA256]
        return EnrollmentSituation(
            device: state.devices[name],
            keyBelongsToAnother: owner != nil && owner != name,
            keyIsRevoked: state.revokedKeys[question.publicKeySHA256] != nil,
            registration: state.registrations[name],
            approval: state.approvals[Pair(name: name, key: question.publicKeySHA256)],
            standing: question.bootstrap.map { state.ledger.standing(of: $0, fleet: question.fleet) },
            pending: pending(in: question.fleet, state)
        )
    }

    package func commit(_ entry: EnrollmentEntry) async throws(RecordError) -> CommitOutcome {
        await beforeCommit(entry)
        let answer: Result<CommitOutcome, RecordError> = state.withLock { state in
            if let failure = state.failure ?? state.commitFailure { return .failure(failure) }
            switch entry.effect {
            case .nothing: break
            case .issue(let issuance):
                do {
                    guard try Self.record(issuance, of: entry.attempt, in: &state) else { return .success(.lostRace) }
                } catch {
                    return .failure(.broken("\(error)"))
                }
            case .ask(let request): Self.ask(request, of: entry.attempt, in: &state)
            case .mark: Self.mark(entry.attempt, in: &state)
            }
            state.attempts.append(entry.attempt)
            return .success(.recorded)
        }
        return try answer.get()
    }

    private static func pending(in fleet: FleetID, _ state: State) -> Int64 {
        let waiting = state.approvals.count { $0.key.name.fleet == fleet && $0.value == .pending }
        return min(Int64(waiting), EnrollmentPolicy.pendingMax)
    }

    private static func ask(_ request: ApprovalRequest, of attempt: Attempt, in state: inout State) {
        let name = Name(fleet: attempt.fleet, device: request.device)
        let pair = Pair(name: name, key: request.publicKeySHA256)
        guard state.approvals[pair] == nil else { return }
        state.approvals[pair] = .pending
        state.requests.append(request)
    }

    private static func mark(_ attempt: Attempt, in state: inout State) {
        guard let sha256 = attempt.credentialSHA256, let reason = attempt.refusal?.reason else { return }
        // The first reason stays until an operator clears it.
        let credential = Credential(fleet: attempt.fleet, sha256: sha256)
        state.marks[credential] = state.marks[credential] ?? reason
    }

    /// False if another enrollment of the device, of the key or under the same limit, or a change of the device's
    /// standing, came first; nothing is changed then.
    private static func record(_ issuance: Issuance, of attempt: Attempt, in state: inout State) throws -> Bool {
        let name = Name(fleet: attempt.fleet, device: issuance.device)
        let known = state.devices[name]
        guard known?.current.serialNumber == issuance.replaces else { return false }
        guard issuance.standingChanges == known?.standing.changes ?? 0 else { return false }
        if let owner = state.keys[issuance.publicKeySHA256], owner != name { return false }
        if issuance.isForeseen {
            guard let admission = issuance.admission else { return false }
            let question = EnrollmentQuestion(
                fleet: attempt.fleet,
                device: issuance.device,
                publicKeySHA256: issuance.publicKeySHA256,
                bootstrap: EnrollmentQuestion.Bootstrap(
                    anchor: admission.anchor,
                    credentialSHA256: admission.credentialSHA256,
                    at: attempt.at
                )
            )
            guard situation(of: question, state).isBlank else { return false }
        }
        if let admission = issuance.admission {
            guard state.ledger.admit(admission, fleet: attempt.fleet, at: attempt.at) else { return false }
        }
        let issued = try issuance.certificate.signed()
        state.keys[issuance.publicKeySHA256] = name
        state.devices[name] = KnownDevice(
            current: RecordedCertificate(
                issuer: issuance.issuer,
                serialNumber: issued.serialNumber,
                publicKeySHA256: issuance.publicKeySHA256,
                notBefore: issued.notBefore,
                notAfter: issued.notAfter,
                isRevoked: false,
                der: issued.der
            ),
            renewableSerialNumber: issuance.renewableSerialNumber,
            enrolledAt: attempt.at,
            currentIsUsed: false,
            idevidAnchor: issuance.idevidAnchor ?? known?.idevidAnchor,
            standing: DeviceStanding(changes: issuance.standingChanges)
        )
        state.issued.append(issued)
        let names = DeviceNames(device: issuance.device, fleet: attempt.fleetName)
        state.audit.append(
            AuditEntry(
                at: attempt.at,
                actor: "device \(names.commonName)",
                action: "certificate.issued",
                subject: names.commonName,
                detail: "serial \(Hex.text(issued.serialNumber)), rule \(attempt.rule)"
            )
        )
        return true
    }
}

extension KnownDevice {
    /// The same but for what is given.
    fileprivate func with(
        isRevoked: Bool? = nil,
        isUsed: Bool? = nil,
        standing: DeviceStanding? = nil
    ) -> KnownDevice {
        KnownDevice(
            current: RecordedCertificate(
                issuer: current.issuer,
                serialNumber: current.serialNumber,
                publicKeySHA256: current.publicKeySHA256,
                notBefore: current.notBefore,
                notAfter: current.notAfter,
                isRevoked: isRevoked ?? current.isRevoked,
                der: current.der
            ),
            renewableSerialNumber: renewableSerialNumber,
            enrolledAt: enrolledAt,
            currentIsUsed: isUsed ?? currentIsUsed,
            idevidAnchor: idevidAnchor,
            standing: standing ?? self.standing
        )
    }
}
