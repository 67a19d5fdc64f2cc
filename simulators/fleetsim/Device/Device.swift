import Crypto
import EST
import Foundation
import NIOSSL
import SwiftASN1
import X509

/// One simulated device at its first boot: it learns the CAs, enrolls, and takes its certificate only after it has
/// checked it. With a broker, it also takes its trust store and says so.
struct Device: Sendable {
    /// Counted from 1.
    let number: Int
    let fleet: SimulatedFleet
    /// What it plays beside its first boot; nil for a device that nothing befalls.
    var plan: UnitPlan?
    /// How long it waits for a server that is away, to come back with all others; nil if it just tries again.
    var storm: Duration?

    var deviceID: String { fleet.names.deviceID(plan?.deviceNumber ?? number) }

    /// What a device keeps of its first try: with it, it sends the same request again.
    struct Visit: Sendable {
        let credential: DeviceCredential
        let key: Certificate.PrivateKey
        /// The body of simpleenroll.
        let request: [UInt8]
        /// The body of the answer to cacerts.
        let cacerts: [UInt8]
        /// Nil if it is right.
        let clock: DeviceClock?
        /// When the first 202 came.
        var waitsSince: ContinuousClock.Instant?
    }

    /// A device that waits for approval.
    struct Waiting: Sendable {
        let device: Device
        let visit: Visit
        var result: DeviceResult
        /// When it asks again.
        let due: ContinuousClock.Instant
    }

    /// How far a device came.
    enum Step: Sendable {
        case ended(DeviceResult)
        case waits(Waiting)
    }

    /// Ends all that a device knows but what it has kept: its key and its credential.
    struct PowerCut: Error {
        let off: Duration
    }

    /// Ends the device's run with an outcome.
    struct Ended: Error {
        let outcome: Outcome
    }

    /// What simpleenroll came to.
    enum Answer {
        case body([UInt8])
        case pending(wait: Duration)
    }

    /// From the beginning, to the end or to the first 202 that it waits after.
    func run() async -> Step {
        await ending(DeviceResult(deviceID: deviceID, outcome: .interrupted)) { result in
            let began = ContinuousClock.now
            let credential = try fleet.credential(of: self)
            if case .claim(let index) = credential { result.claim = index }
            result.played = plan?.lasting ?? []
            let tls = try fleet.tlsContext(credential)
            let key = try fleet.operationalKey(of: self)
            // Bounded by the plan, which has so many power cuts.
            while true {
                do {
                    let waiting = try await boot(credential, key, tls, &result)
                    if plan != nil, waiting == nil { result.times.append((.whole, .now - began)) }
                    return waiting
                } catch let cut as PowerCut {
                    try await Task.sleep(for: cut.off)
                }
            }
        }
    }

    /// What a device does when it has power and no certificate.
    private func boot(
        _ credential: DeviceCredential,
        _ key: Certificate.PrivateKey,
        _ tls: NIOSSLContext,
        _ result: inout DeviceResult
    ) async throws -> Waiting? {
        let clock = try plan?.clock.map { try DeviceClock($0, now: Date(), root: fleet.rootDER) }
        let request = try DeviceName.request(deviceID, identity: fleet.identityKind, key: key)
        guard case .body(let cacerts) = try await ask(.cacerts, stage: .cacerts, tls: tls, clock, &result) else {
            throw Ended(outcome: .failed(stage: .cacerts, reason: "202 for /cacerts"))
        }
        let visit = Visit(
            credential: credential,
            key: key,
            request: Base64Body.encode(request),
            cacerts: cacerts,
            clock: clock
        )
        return try await enroll(visit, tls: tls, &result)
    }

    /// The same request again, from a device that has waited.
    func resume(_ waiting: Waiting) async -> Step {
        await ending(waiting.result) { result in
            try await enroll(waiting.visit, tls: fleet.tlsContext(waiting.visit.credential), &result)
        }
    }

    /// Gives what ends `steps` its outcome.
    private func ending(
        _ begun: DeviceResult,
        _ steps: (inout DeviceResult) async throws -> Waiting?
    ) async -> Step {
        var result = begun
        do {
            if let waiting = try await steps(&result) { return .waits(waiting) }
            result.outcome = .enrolled
        } catch let ended as Ended {
            result.outcome = ended.outcome
        } catch is CancellationError {
            result.outcome = .interrupted
        } catch {
            result.outcome = .failed(stage: .connect, reason: FailureReason.text(error))
        }
        return .ended(result)
    }

    /// - Returns: The device as it waits for approval; nil if it is enrolled.
    private func enroll(_ visit: Visit, tls: NIOSSLContext, _ result: inout DeviceResult) async throws -> Waiting? {
        let answer: Answer
        do {
            answer = try await ask(.simpleenroll, stage: .enroll, body: visit.request, tls: tls, visit.clock, &result)
        } catch {
            if let since = visit.waitsSince { result.times.append((.approval, .now - since)) }
            throw error
        }
        let now = ContinuousClock.now
        let waited = visit.waitsSince.map { now - $0 }
        switch answer {
        case .pending(let asked):
            guard let pause = fleet.patience.pause(asked: asked, waited: waited ?? .zero) else {
                if let waited { result.times.append((.approval, waited)) }
                throw Ended(outcome: .pending)
            }
            var visit = visit
            visit.waitsSince = visit.waitsSince ?? now
            return Waiting(device: self, visit: visit, result: result, due: now + pause)
        case .body(let body):
            if let waited { result.times.append((.approval, waited)) }
            try await take(body, visit, &result)
            return nil
        }
    }

    /// Checks the certificate that came, keeps it, and takes the trust store.
    private func take(_ answer: [UInt8], _ visit: Visit, _ result: inout DeviceResult) async throws {
        let began = ContinuousClock.now
        let (held, chain) = try check(answer, visit)
        result.isGiven(held.der)
        result.certificate = held
        let identity = OperationalIdentity(certificate: held.der, chain: chain, key: visit.key)
        result.identity = identity
        result.times.append((.check, .now - began))
        try fleet.output?.keep(deviceID, certificate: held.der, chain: chain, key: visit.key)
        guard let broker = fleet.broker else { return }
        let connected = ContinuousClock.now
        do {
            result.acknowledgedVersion = try await broker.acknowledge(
                deviceID: deviceID,
                identity: identity
            )
            result.times.append((.mqtt, .now - connected))
        } catch let failure as CheckFailure {
            throw Ended(outcome: .distrusted(stage: .mqtt, reason: failure.reason))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw Ended(outcome: .failed(stage: .mqtt, reason: FailureReason.text(error)))
        }
    }

    /// Takes the answer of simpleenroll apart and checks the certificate in it.
    private func check(_ answer: [UInt8], _ visit: Visit) throws -> (HeldCertificate, chain: [[UInt8]]) {
        do {
            let bag = try fleet.bags.bag(visit.cacerts)
            let certificates = try CertsOnly.decode(Base64Body.decode(answer).der)
            // Exactly one certificate, the issued one (RFC 7030 section 4.2.3, EST-24).
            guard let der = certificates.first, certificates.count == 1 else {
                throw CheckFailure("\(certificates.count) certificates in the answer")
            }
            let certificate = try Certificate(derEncoded: der)
            let now = visit.clock?.time(issuedNotBefore: certificate.notValidBefore) ?? Date()
            let chain = try bag.check(certificate, deviceID: deviceID, key: visit.key.publicKey, now: now)
            return (HeldCertificate(serial: Array(certificate.serialNumber.bytes), der: der), chain)
        } catch let failure as CheckFailure {
            throw Ended(outcome: .distrusted(stage: .check, reason: failure.reason))
        } catch {
            throw Ended(outcome: .distrusted(stage: .check, reason: FailureReason.text(error)))
        }
    }
}
