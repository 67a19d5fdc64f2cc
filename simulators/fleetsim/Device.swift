import Crypto
import EST
import Foundation
import NIOSSL
import SwiftASN1
import X509

/// One simulated device at its first boot: it learns the CAs, enrolls, and takes its certificate only after it has
/// checked it. With a broker, it also takes its trust store and says so.
struct Device: Sendable {
    /// How often a device asks again, of all its steps together; while it waits for approval, of each time anew.
    static let retriesMax = 5
    /// The longest that it waits between two tries, whatever Retry-After says; approval has `ApprovalPatience`.
    static let waitMax: Duration = .seconds(30)
    /// How long it waits after a connection that failed.
    static let reconnectWait: Duration = .seconds(1)

    /// Counted from 1.
    let number: Int
    let fleet: SimulatedFleet

    var deviceID: String { fleet.names.deviceID(number) }

    /// What a device keeps of its first try: with it, it sends the same request again.
    struct Visit: Sendable {
        let credential: DeviceCredential
        let key: Certificate.PrivateKey
        /// The body of simpleenroll.
        let request: [UInt8]
        /// The body of the answer to cacerts.
        let cacerts: [UInt8]
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

    /// Ends the device's run with an outcome.
    private struct Ended: Error {
        let outcome: Outcome
    }

    /// What simpleenroll came to.
    private enum Answer {
        case body([UInt8])
        case pending(wait: Duration)
    }

    /// From the beginning, to the end or to the first 202 that it waits after.
    func run() async -> Step {
        await ending(DeviceResult(deviceID: deviceID, outcome: .interrupted)) { result in
            let credential = try fleet.credential(number, deviceID)
            if case .claim(let index) = credential { result.claim = index }
            let tls = try fleet.tlsContext(credential)
            let key = try fleet.operationalKey(deviceID)
            let request = try DeviceName.request(deviceID, identity: fleet.identityKind, key: key)
            guard case .body(let cacerts) = try await ask(.cacerts, stage: .cacerts, tls: tls, &result) else {
                throw Ended(outcome: .failed(stage: .cacerts, reason: "202 for /cacerts"))
            }
            let visit = Visit(
                credential: credential,
                key: key,
                request: Base64Body.encode(request),
                cacerts: cacerts
            )
            return try await enroll(visit, tls: tls, &result)
        }
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
            answer = try await ask(.simpleenroll, stage: .enroll, body: visit.request, tls: tls, &result)
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
        let (held, chain) = try check(answer, cacerts: visit.cacerts, key: visit.key.publicKey)
        result.certificate = held
        result.times.append((.check, .now - began))
        try fleet.output?.keep(deviceID, certificate: held.der, chain: chain, key: visit.key)
        guard let broker = fleet.broker else { return }
        let connected = ContinuousClock.now
        do {
            result.acknowledgedVersion = try await broker.acknowledge(
                deviceID: deviceID,
                identity: BrokerIdentity(certificate: held.der, chain: chain, key: visit.key)
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

    /// Asks until there is an answer, within the bounds of patience.
    private func ask(
        _ operation: ESTOperation,
        stage: Stage,
        body: [UInt8] = [],
        tls: NIOSSLContext,
        _ result: inout DeviceResult
    ) async throws -> Answer {
        while true {
            try Task.checkCancellation()
            let reason: String
            let wait: Duration
            do {
                let (reply, answer) = try await fleet.client.perform(operation, body: body, tls: tls)
                result.times.append((.connect, answer.connecting))
                result.times.append((stage, answer.answering))
                switch reply {
                case .ok(let body): return .body(body)
                case .pending(let wait): return .pending(wait: wait)
                case .refused(let status, let reason): throw Ended(outcome: .refused(status: status, reason: reason))
                case .later(let status, let why, let asked):
                    reason = "\(status) \(why)"
                    wait = min(asked, Self.waitMax)
                }
            } catch let ended as Ended {
                throw ended
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                reason = FailureReason.text(error)
                wait = Self.reconnectWait
                guard result.retries.count < Self.retriesMax else {
                    throw Ended(outcome: .failed(stage: stage, reason: reason))
                }
            }
            guard result.retries.count < Self.retriesMax else { throw Ended(outcome: .gaveUp(reason: reason)) }
            result.retries.append(reason)
            try await Task.sleep(for: wait)
        }
    }

    /// Takes the answer of simpleenroll apart and checks the certificate in it.
    private func check(
        _ answer: [UInt8],
        cacerts: [UInt8],
        key: Certificate.PublicKey
    ) throws -> (HeldCertificate, chain: [[UInt8]]) {
        do {
            let bag = try fleet.bags.bag(cacerts)
            let certificates = try CertsOnly.decode(Base64Body.decode(answer).der)
            // Exactly one certificate, the issued one (RFC 7030 section 4.2.3, EST-24).
            guard let der = certificates.first, certificates.count == 1 else {
                throw CheckFailure("\(certificates.count) certificates in the answer")
            }
            let certificate = try Certificate(derEncoded: der)
            let chain = try bag.check(certificate, deviceID: deviceID, key: key, now: Date())
            return (HeldCertificate(serial: Array(certificate.serialNumber.bytes), der: der), chain)
        } catch let failure as CheckFailure {
            throw Ended(outcome: .distrusted(stage: .check, reason: failure.reason))
        } catch {
            throw Ended(outcome: .distrusted(stage: .check, reason: FailureReason.text(error)))
        }
    }
}
