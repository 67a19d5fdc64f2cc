import Crypto
package import Foundation
package import Logging
package import PKI
import X509

/// What a front hands over: one POST to simpleenroll or simplereenroll.
package struct EnrollmentSubmission: Sendable {
    package let fleet: Fleet
    package let operation: Attempt.Operation
    package let client: PresentedClient
    /// DER of the PKCS#10 request, or nil with why the body was none.
    package let request: Result<[UInt8], Refusal>
    package let source: String
    package let requestID: UUID

    package init(
        fleet: Fleet,
        operation: Attempt.Operation,
        client: PresentedClient,
        request: Result<[UInt8], Refusal>,
        source: String,
        requestID: UUID
    ) {
        self.fleet = fleet
        self.operation = operation
        self.client = client
        self.request = request
        self.source = source
        self.requestID = requestID
    }
}

/// What a front answers.
package enum EnrollmentResult: Hashable, Sendable {
    /// DER of the certificate; it is in the record.
    case certificate([UInt8])
    /// An operator is to say; the device comes again after that time (RFC 7030 section 4.2.3).
    case pending(retryAfter: Duration)
    case refused(Refusal)
    /// The record does not answer; nothing that was signed was let out.
    case unavailable(RecordError)
}

/// The enroll and renew use cases: identity, request, names, decision, signature, record, answer, in this order; where the
/// decision was foreseen, the record verifies it before the signature.
/// Nothing is signed before it is authorized, and nothing leaves before it is committed.
package struct EnrollmentService: Sendable {
    /// How often an enrollment that lost a race against another one of the same device is decided anew.
    package static let roundsMax = 4

    private let record: any EnrollmentRecord
    private let bounds: RequestBounds
    private let forbiddenKeys: @Sendable () -> Set<[UInt8]>
    private let now: @Sendable () -> Date
    private let observer: any EnrollmentObserver
    private let newcomers = NewcomerForecast()
    private let logger: Logger

    /// - Parameters:
    ///   - bounds: How large a request may be.
    ///   - forbiddenKeys: SHA-256 of the SubjectPublicKeyInfo of the server's own keys, which no device may hold (C-04).
    ///   - now: The clock.
    package init(
        record: any EnrollmentRecord,
        bounds: RequestBounds = .standard,
        forbiddenKeys: @escaping @Sendable () -> Set<[UInt8]> = { [] },
        now: @escaping @Sendable () -> Date = { Date() },
        observer: any EnrollmentObserver = NoEnrollmentObserver(),
        logger: Logger
    ) {
        self.observer = observer
        self.record = record
        self.bounds = bounds
        self.forbiddenKeys = forbiddenKeys
        self.now = now
        self.logger = logger
    }

    /// Runs one enrollment to its end. Each try is kept and logged, whatever became of it.
    package func enroll(_ submission: EnrollmentSubmission) async -> EnrollmentResult {
        let began = ContinuousClock.now
        var attempt = Attempt(
            at: now(),
            requestID: submission.requestID,
            fleet: submission.fleet.id,
            fleetName: submission.fleet.name,
            operation: submission.operation,
            source: submission.source
        )
        let result: EnrollmentResult
        do {
            result = try await run(submission, &attempt)
        } catch {
            result = .unavailable(error)
        }
        let took = ContinuousClock.now - began
        let outcome = EnrollmentOutcome(result, attempt: attempt)
        let reason = outcome == .refused ? attempt.refusal?.reason : nil
        observer.finished(fleet: attempt.fleetName.text, outcome: outcome, reason: reason, took: took)
        log(attempt, result, took: took)
        return result
    }

    private func run(
        _ submission: EnrollmentSubmission,
        _ attempt: inout Attempt
    ) async throws(RecordError) -> EnrollmentResult {
        // Step 1: who is it?
        let identity: ClientIdentity
        let judged = await timed(.identity) {
            await ClientIdentity.identify(submission.client, fleet: submission.fleet, now: attempt.at)
        }
        switch judged {
        case .success(let found): identity = found
        case .failure(let refusal):
            note(submission.client, kind: nil, in: &attempt)
            return try await refuse(refusal, &attempt)
        }
        switch identity {
        case .bootstrap(let bootstrap):
            let kind: Attempt.CredentialKind = bootstrap.anchor.rule.isClaim ? .claim : .idevid
            note(submission.client, kind: kind, in: &attempt)
            attempt.anchor = bootstrap.anchor.id
        case .operational(let operational):
            note(submission.client, kind: .ldevid, in: &attempt)
            attempt.device = operational.device
            if submission.operation == .simpleEnroll {
                let refusal = Refusal(
                    .bootstrapCredentialRequired,
                    "simpleenroll takes a bootstrap credential; renew an operational certificate at simplereenroll"
                )
                return try await refuse(refusal, &attempt)
            }
        }

        // Step 2: is the request sound, and is its key its sender's?
        let request: VerifiedRequest
        switch await timed(.request, { verified(submission.request, profile: submission.fleet.profile) }) {
        case .success(let found): request = found
        case .failure(let refusal): return try await refuse(refusal, &attempt)
        }
        attempt.publicKeySHA256 = request.publicKeySHA256
        if let refusal = authorityKey(request, fleet: submission.fleet) { return try await refuse(refusal, &attempt) }

        // Step 3: which device is it, and does the request name no other?
        let names: DeviceNames
        switch self.names(identity, request: request, fleet: submission.fleet) {
        case .success(let found): names = found
        case .failure(let refusal): return try await refuse(refusal, &attempt)
        }
        attempt.device = names.device

        // Steps 4 to 6: decide on what the record knows, sign, record; again if another enrollment came between.
        for round in 0..<Self.roundsMax {
            let judgement = try await judge(
                identity,
                device: names.device,
                request: request,
                fleet: submission.fleet,
                at: attempt.at,
                round: round
            )
            switch judgement.decision {
            case .refuse(let refusal): return try await refuse(refusal, &attempt)
            case .repeatCertificate(let certificate, let rule):
                attempt.stage = .issue
                attempt.rule = rule
                attempt.outcome = .repeated
                attempt.issuer = certificate.issuer
                attempt.serialNumber = certificate.serialNumber
                _ = try await commit(EnrollmentEntry(attempt: attempt, effect: .nothing))
                return .certificate(certificate.der)
            case .wait(let kind, let isAsked, let rule):
                attempt.stage = .policy
                attempt.rule = rule
                attempt.outcome = .pending
                attempt.issuer = nil
                attempt.serialNumber = nil
                let request = ApprovalRequest(
                    device: names.device,
                    publicKeySHA256: request.publicKeySHA256,
                    kind: kind
                )
                _ = try await commit(
                    EnrollmentEntry(attempt: attempt, effect: isAsked ? .nothing : .ask(request))
                )
                return .pending(retryAfter: submission.fleet.record.approvalRetry)
            case .issue(let replaces, let renewable, let admission, let rule):
                attempt.stage = .issue
                attempt.rule = rule
                let at = attempt.at
                let certificate = try await timed(.sign) { () throws(RecordError) in
                    let prepared = try prepared(request, names: names, fleet: submission.fleet, at: at)
                    if !judgement.isForeseen { _ = try signed(prepared, fleet: submission.fleet) }
                    return prepared
                }
                attempt.outcome = .issued
                attempt.issuer = submission.fleet.record.issuerID
                attempt.serialNumber = certificate.serialNumber
                let issuance = Issuance(
                    device: names.device,
                    issuer: submission.fleet.record.issuerID,
                    certificate: certificate,
                    publicKeySHA256: request.publicKeySHA256,
                    replaces: replaces,
                    renewableSerialNumber: renewable,
                    idevidAnchor: identity.idevidAnchor,
                    admission: admission,
                    standingChanges: judgement.standingChanges,
                    isForeseen: judgement.isForeseen
                )
                let outcome = try await commit(EnrollmentEntry(attempt: attempt, issuance: issuance))
                if judgement.isForeseen { newcomers.saw(newcomer: outcome == .recorded) }
                switch outcome {
                case .recorded: return .certificate(try signed(certificate, fleet: submission.fleet).der)
                case .lostRace: continue
                }
            }
        }
        throw .overloaded
    }

    /// A decision, and what it rests on.
    private struct Judgement {
        let decision: EnrollmentDecision
        let standingChanges: Int64
        /// True if the record was not asked, and is to verify what was expected of it.
        let isForeseen: Bool
    }

    /// Whether this is one of those that can be foreseen: where the fleet's policy asks neither an operator nor a list, and
    /// where those in the same group can wait for the signature.
    private func canBeForeseen(_ identity: ClientIdentity, _ fleet: Fleet) -> Bool {
        guard case .bootstrap = identity else { return false }
        return fleet.record.policy == .open && fleet.issuer.signsQuickly
    }

    /// Decides on what the record knows, or on what is foreseen of a newcomer if that lets it in.
    private func judge(
        _ identity: ClientIdentity,
        device: DeviceID,
        request: VerifiedRequest,
        fleet: Fleet,
        at: Date,
        round: Int
    ) async throws(RecordError) -> Judgement {
        func decide(_ situation: EnrollmentSituation) -> EnrollmentDecision {
            EnrollmentRules.decide(
                identity,
                publicKeySHA256: request.publicKeySHA256,
                policy: fleet.record.policy,
                reenrollment: fleet.record.reenrollment,
                situation: situation,
                now: at
            )
        }
        let canBeForeseen = round == 0 && canBeForeseen(identity, fleet)
        if canBeForeseen, newcomers.expectsNewcomer {
            let decision = decide(.blank)
            // What is refused is refused for the first reason that the record gives.
            if case .issue = decision { return Judgement(decision: decision, standingChanges: 0, isForeseen: true) }
        }
        let question = EnrollmentQuestion(
            fleet: fleet.id,
            device: device,
            publicKeySHA256: request.publicKeySHA256,
            bootstrap: identity.question(at: at)
        )
        let situation = try await timed(.decide) { () async throws(RecordError) in
            try await record.situation(of: question)
        }
        if canBeForeseen { newcomers.saw(newcomer: situation.isBlank) }
        return Judgement(
            decision: decide(situation),
            standingChanges: situation.device?.standing.changes ?? 0,
            isForeseen: false
        )
    }

    private func commit(_ entry: EnrollmentEntry) async throws(RecordError) -> CommitOutcome {
        try await timed(.commit) { () async throws(RecordError) in try await record.commit(entry) }
    }

    private func timed<Value, Failure: Error>(
        _ part: EnrollmentPart,
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let began = ContinuousClock.now
        let value = try await body()
        observer.passed(part, took: ContinuousClock.now - began)
        return value
    }

    private func verified(
        _ body: Result<[UInt8], Refusal>,
        profile: CertificateProfile
    ) -> Result<VerifiedRequest, Refusal> {
        switch body {
        case .failure(let refusal): return .failure(refusal)
        case .success(let der):
            do {
                return .success(try UnverifiedRequest(der: der, bounds: bounds).verified(profile.keyPolicy))
            } catch {
                return .failure(Refusal(reason(of: error), error.description))
            }
        }
    }

    private func reason(of defect: RequestDefect) -> RefusalReason {
        switch defect {
        case .tooLarge: .requestTooLarge
        case .tooMany, .malformed: .requestUnreadable
        case .unsupportedKey, .key: .keyNotAccepted
        case .signature, .signatureAlgorithm: .signatureInvalid
        }
    }

    private func authorityKey(_ request: VerifiedRequest, fleet: Fleet) -> Refusal? {
        let isAuthority =
            fleet.authorityKeys.contains(request.publicKeySHA256) || forbiddenKeys().contains(request.publicKeySHA256)
        return isAuthority
            ? Refusal(.keyOfAuthority, "the public key is a CA's or the server's own; make a new key pair") : nil
    }

    private func names(
        _ identity: ClientIdentity,
        request: VerifiedRequest,
        fleet: Fleet
    ) -> Result<DeviceNames, Refusal> {
        switch identity {
        case .bootstrap(let bootstrap):
            switch bootstrap.device(request, fleet: fleet.name) {
            case .failure(let refusal): return .failure(refusal)
            case .success(let device):
                let names = DeviceNames(device: device, fleet: fleet.name)
                let refusal = RequestNames.refusal(
                    request,
                    names: names,
                    bootstrap: bootstrap,
                    profile: fleet.profile
                )
                return refusal.map { .failure($0) } ?? .success(names)
            }
        case .operational(let operational):
            let refusal = RequestNames.refusal(request, renewing: operational.certificate)
            return refusal.map { .failure($0) }
                ?? .success(DeviceNames(device: operational.device, fleet: fleet.name))
        }
    }

    /// Builds from the profile and lints. What fails here is a fault of ours, never of the device.
    private func prepared(
        _ request: VerifiedRequest,
        names: DeviceNames,
        fleet: Fleet,
        at: Date
    ) throws(RecordError) -> PreparedCertificate {
        do {
            let template = try CertificateTemplate(
                names: names,
                key: request.publicKeyFacts,
                profile: fleet.profile,
                issuer: fleet.issuer,
                now: at,
                common: fleet.commonExtensions
            )
            let linted = try CertificateLint.lint(template, names: names, profile: fleet.profile, issuer: fleet.issuer)
            return PreparedCertificate(linted, issuer: fleet.issuer)
        } catch {
            throw notIssued(error, fleet: fleet)
        }
    }

    private func signed(
        _ certificate: PreparedCertificate,
        fleet: Fleet
    ) throws(RecordError) -> IssuedCertificate {
        do {
            return try certificate.signed()
        } catch {
            throw notIssued(error, fleet: fleet)
        }
    }

    private func notIssued(_ error: any Error, fleet: Fleet) -> RecordError {
        logger.error("certificate not issued", metadata: ["fleet": "\(fleet.name)", "error": "\(error)"])
        return .broken("the certificate could not be made")
    }

    private func refuse(_ refusal: Refusal, _ attempt: inout Attempt) async throws(RecordError) -> EnrollmentResult {
        attempt.stage = refusal.reason.stage
        attempt.rule = refusal.reason.rawValue
        attempt.outcome = .refused
        attempt.refusal = refusal
        attempt.issuer = nil
        attempt.serialNumber = nil
        let effect: EnrollmentEntry.Effect = refusal.reason.marksCredential ? .mark : .nothing
        _ = try await commit(EnrollmentEntry(attempt: attempt, effect: effect))
        return .refused(refusal)
    }

    private func note(_ client: PresentedClient, kind: Attempt.CredentialKind?, in attempt: inout Attempt) {
        guard case .chain(let chain) = client else { return }
        attempt.credentialKind = kind
        attempt.credentialSHA256 = chain.leafSHA256
        attempt.credentialSubject = chain.leaf.subject.text.plain(max: Attempt.subjectLengthMax)
    }

    /// The most fields of an attempt's line.
    private static let logFieldsMax = 12

    private func log(_ attempt: Attempt, _ result: EnrollmentResult, took: Duration) {
        var metadata: Logger.Metadata = [:]
        metadata.reserveCapacity(Self.logFieldsMax)
        metadata["request_id"] = .string(attempt.requestID.text)
        metadata["fleet"] = .string(attempt.fleetName.text)
        metadata["operation"] = .string(attempt.operation.rawValue)
        metadata["source"] = .string(attempt.source)
        metadata["stage"] = .string(attempt.stage.rawValue)
        metadata["milliseconds"] = .string(String(Int((took.inSeconds * 1000).rounded())))
        metadata["device"] = attempt.device.map { .string($0.text) }
        metadata["credential"] = attempt.credentialKind.map { .string($0.rawValue) }
        metadata["rule"] = attempt.rule.isEmpty ? nil : .string(attempt.rule)
        switch result {
        case .certificate:
            metadata["outcome"] = .string(attempt.outcome.rawValue)
            metadata["serial"] = attempt.serialNumber.map { .string(Hex.text($0)) }
        case .pending: metadata["outcome"] = "pending"
        case .refused(let refusal):
            metadata["outcome"] = "refused"
            metadata["reason"] = .string(refusal.reason.rawValue)
            metadata["detail"] = .string(refusal.detail)
        case .unavailable(let error):
            metadata["outcome"] = "unavailable"
            metadata["reason"] = "\(error)"
        }
        logger.info("attempt", metadata: metadata)
    }
}

extension ClientIdentity {
    fileprivate var idevidAnchor: AnchorID? {
        guard case .bootstrap(let identity) = self, !identity.anchor.rule.isClaim else { return nil }
        return identity.anchor.id
    }

    fileprivate func question(at: Date) -> EnrollmentQuestion.Bootstrap? {
        guard case .bootstrap(let identity) = self else { return nil }
        return EnrollmentQuestion.Bootstrap(
            anchor: identity.anchor.id,
            credentialSHA256: identity.credentialSHA256,
            at: at
        )
    }
}

extension EnrollmentOutcome {
    fileprivate init(_ result: EnrollmentResult, attempt: Attempt) {
        switch result {
        case .certificate: self = attempt.outcome == .repeated ? .repeated : .issued
        case .pending: self = .pending
        case .refused: self = .refused
        case .unavailable: self = .unavailable
        }
    }
}
