import Crypto
import EST
import Foundation
import NIOSSL
import SwiftASN1
import X509

/// One simulated device at its first boot: it learns the CAs, enrolls, and takes its certificate only after it has
/// checked it. With a broker, it also takes its trust store and says so.
struct Device: Sendable {
    /// How often a device asks again, of all its steps together.
    static let retriesMax = 5
    /// The longest that it waits between two tries, whatever Retry-After says.
    static let waitMax: Duration = .seconds(30)
    /// How long it waits after a connection that failed.
    static let reconnectWait: Duration = .seconds(1)

    let deviceID: String
    let fleet: SimulatedFleet

    /// Ends the device's run with an outcome.
    private struct Ended: Error {
        let outcome: Outcome
    }

    func run() async -> DeviceResult {
        var result = DeviceResult(deviceID: deviceID, outcome: .interrupted)
        do {
            try await enroll(&result)
            result.outcome = .enrolled
        } catch let ended as Ended {
            result.outcome = ended.outcome
        } catch is CancellationError {
            result.outcome = .interrupted
        } catch {
            result.outcome = .failed(stage: .connect, reason: FailureReason.text(error))
        }
        return result
    }

    private func enroll(_ result: inout DeviceResult) async throws {
        let tls = try fleet.tlsContext(deviceID)
        let key = try fleet.keyKind.generate()
        let request = try DeviceName.request(deviceID, identity: fleet.identityKind, key: key)
        let cacerts = try await ask(.cacerts, stage: .cacerts, tls: tls, &result)
        let answer = try await ask(.simpleenroll, stage: .enroll, body: Base64Body.encode(request), tls: tls, &result)
        let began = ContinuousClock.now
        let (held, chain) = try check(answer, cacerts: cacerts, key: key.publicKey)
        result.certificate = held
        result.times.append((.check, .now - began))
        try fleet.output?.keep(deviceID, certificate: held.der, chain: chain, key: key)
        guard let broker = fleet.broker else { return }
        let connected = ContinuousClock.now
        do {
            result.acknowledgedVersion = try await broker.acknowledge(
                deviceID: deviceID,
                identity: BrokerIdentity(certificate: held.der, chain: chain, key: key)
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
    ) async throws -> [UInt8] {
        while true {
            try Task.checkCancellation()
            let reason: String
            let wait: Duration
            do {
                let (reply, answer) = try await fleet.client.perform(operation, body: body, tls: tls)
                result.times.append((.connect, answer.connecting))
                result.times.append((stage, answer.answering))
                switch reply {
                case .ok(let body): return body
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
