package import Enrollment
import Foundation
package import PKI
import Synchronization

/// The record of enrollments in memory, with PostgreSQL's semantics: a device moves to a new certificate only from the
/// one that the decision saw, and a key is bound to its device for good.
package final class InMemoryEnrollmentRecord: EnrollmentRecord {
    private struct Name: Hashable {
        let fleet: FleetID
        let device: DeviceID
    }

    private struct State {
        var devices: [Name: KnownDevice] = [:]
        var keys: [[UInt8]: Name] = [:]
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
    /// How often the record was asked for a situation.
    package var questions: Int { state.withLock { $0.questions } }

    /// Makes every later call fail so; nil ends that.
    package func fail(with error: RecordError?) { state.withLock { $0.failure = error } }

    /// Makes every later commit fail so, while questions are still answered; nil ends that.
    package func failCommits(with error: RecordError?) { state.withLock { $0.commitFailure = error } }

    /// Marks the device's current certificate as revoked.
    package func revokeCurrent(_ device: DeviceID, of fleet: FleetID) {
        change(device, of: fleet) { known in
            let current = known.current
            return KnownDevice(
                current: RecordedCertificate(
                    issuer: current.issuer,
                    serialNumber: current.serialNumber,
                    publicKeySHA256: current.publicKeySHA256,
                    notBefore: current.notBefore,
                    notAfter: current.notAfter,
                    isRevoked: true,
                    der: current.der
                ),
                renewableSerialNumber: known.renewableSerialNumber,
                enrolledAt: known.enrolledAt,
                currentIsUsed: known.currentIsUsed,
                idevidAnchor: known.idevidAnchor
            )
        }
    }

    /// Notes that the device used its current certificate.
    package func useCurrent(_ device: DeviceID, of fleet: FleetID) {
        change(device, of: fleet) { known in
            KnownDevice(
                current: known.current,
                renewableSerialNumber: known.renewableSerialNumber,
                enrolledAt: known.enrolledAt,
                currentIsUsed: true,
                idevidAnchor: known.idevidAnchor
            )
        }
    }

    private func change(_ device: DeviceID, of fleet: FleetID, _ body: (KnownDevice) -> KnownDevice) {
        let name = Name(fleet: fleet, device: device)
        state.withLock { state in
            if let known = state.devices[name] { state.devices[name] = body(known) }
        }
    }

    package func situation(of question: EnrollmentQuestion) async throws(RecordError) -> EnrollmentSituation {
        let name = Name(fleet: question.fleet, device: question.device)
        let answer: Result<EnrollmentSituation, RecordError> = state.withLock { state in
            state.questions += 1
            if let failure = state.failure { return .failure(failure) }
            let owner = state.keys[question.publicKeySHA256]
            return .success(
                EnrollmentSituation(
                    device: state.devices[name],
                    keyBelongsToAnother: owner != nil && owner != name
                )
            )
        }
        return try answer.get()
    }

    package func commit(_ entry: EnrollmentEntry) async throws(RecordError) -> CommitOutcome {
        await beforeCommit(entry)
        let answer: Result<CommitOutcome, RecordError> = state.withLock { state in
            if let failure = state.failure ?? state.commitFailure { return .failure(failure) }
            if let issuance = entry.issuance {
                guard Self.record(issuance, of: entry.attempt, in: &state) else { return .success(.lostRace) }
            }
            state.attempts.append(entry.attempt)
            return .success(.recorded)
        }
        return try answer.get()
    }

    /// False if another enrollment of the device or of the key came first; nothing is changed then.
    private static func record(_ issuance: Issuance, of attempt: Attempt, in state: inout State) -> Bool {
        let name = Name(fleet: attempt.fleet, device: issuance.device)
        let known = state.devices[name]
        guard known?.current.serialNumber == issuance.replaces else { return false }
        if let owner = state.keys[issuance.publicKeySHA256], owner != name { return false }
        state.keys[issuance.publicKeySHA256] = name
        state.devices[name] = KnownDevice(
            current: RecordedCertificate(
                issuer: issuance.issuer,
                serialNumber: issuance.certificate.serialNumber,
                publicKeySHA256: issuance.publicKeySHA256,
                notBefore: issuance.certificate.notBefore,
                notAfter: issuance.certificate.notAfter,
                isRevoked: false,
                der: issuance.certificate.der
            ),
            renewableSerialNumber: issuance.renewableSerialNumber,
            enrolledAt: attempt.at,
            currentIsUsed: false,
            idevidAnchor: issuance.idevidAnchor ?? known?.idevidAnchor
        )
        state.issued.append(issuance.certificate)
        let names = DeviceNames(device: issuance.device, fleet: attempt.fleetName)
        state.audit.append(
            AuditEntry(
                at: attempt.at,
                actor: "device \(names.commonName)",
                action: "certificate.issued",
                subject: names.commonName,
                detail: "serial \(Hex.text(issuance.certificate.serialNumber)), rule \(attempt.rule)"
            )
        )
        return true
    }
}
