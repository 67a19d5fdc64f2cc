import EST
import Foundation
import NIOSSL
import SwiftASN1
import X509

/// One device over its days: it enrolls, renews when it thinks that it is time, is away, and comes back.
struct RenewalDevice: Sendable {
    let device: Device
    let unit: RenewalPlan.Unit
    let plan: RenewalPlan
    let places: Places
    /// When it all began, and ends.
    let began: ContinuousClock.Instant
    let ends: ContinuousClock.Instant

    func live() async -> RenewalResult {
        var result = RenewalResult()
        var last: HeldIdentity?
        do {
            try await Task.sleep(until: began + unit.begins, clock: .continuous)
            var held = try await enroll(&result)
            last = held
            var offline = unit.offline
            for count in 1...Renewal.renewalsMax {
                // As its own clock has it.
                let left = held.ends - held.received - unit.skew
                let due = held.received + left * plan.share(of: unit.number, renewal: count)
                var next = max(due, held.received + Self.pauseMin)
                var wasAway = false
                if let off = offline, began + off.at < next {
                    offline = nil
                    wasAway = true
                    next = max(next, began + off.at + off.length)
                }
                guard next < ends else { break }
                try await Task.sleep(until: next, clock: .continuous)
                held = try await renew(held, isBack: wasAway && held.ends < .now, &result)
                last = held
            }
            try await Task.sleep(until: ends, clock: .continuous)
            result.isCurrent = held.ends > .now
        } catch {
            result.problem = FailureReason.text(error)
            if Task.isCancelled {
                result.problem = FailureReason.interrupted
                result.isCurrent = last.map { $0.ends > .now } ?? false
            }
        }
        return result
    }

    /// By the bootstrap credential.
    private func enroll(_ result: inout RenewalResult) async throws -> HeldIdentity {
        let place = await places.enter()
        defer { place.leave() }
        try Task.checkCancellation()
        result.asks(at: .now - began)
        guard case .ended(let ended) = await device.run() else { throw DeviceFailure("it is to wait for approval") }
        guard let identity = ended.identity, ended.outcome == .enrolled else {
            throw DeviceFailure("not enrolled: \(ended.outcome.reason ?? ended.outcome.name)")
        }
        return try HeldIdentity(identity)
    }

    /// Until it has another, by its certificate or, when that has ended, by its bootstrap credential.
    /// - Parameter isBack: True if it was away until its certificate ended.
    private func renew(_ held: HeldIdentity, isBack: Bool, _ result: inout RenewalResult) async throws -> HeldIdentity {
        let first = ContinuousClock.now
        let tls = try device.fleet.tlsContext(held.identity)
        let body = Base64Body.encode(try held.identity.renewalRequest())
        if isBack { result.isOutdated = true }
        for retry in 0...device.fleet.retry.retriesMax {
            let hasEnded = held.ends < .now
            result.asks(at: .now - began)
            var asked: Duration?
            do {
                switch try await device.fleet.client.perform(.simplereenroll, body: body, tls: tls).reply {
                case .ok(let answer):
                    // A certificate that ended on the way to the server is nobody's fault.
                    if hasEnded { result.renewedAfterEnd += 1 }
                    let next = try HeldIdentity(held, renewedBy: answer)
                    result.renewals.append(RenewalMoment(at: .now - began, took: .now - first))
                    return next
                case .later(_, let why, let wait):
                    asked = wait
                    result.problems.append(why)
                case .refused(let status, let reason):
                    result.problems.append("\(status) \(reason)")
                    guard held.ends < .now else { throw DeviceFailure("not renewed: \(status) \(reason)") }
                case .pending(let wait): asked = wait
                }
            } catch let failure as DeviceFailure {
                throw failure
            } catch let cancelled as CancellationError {
                throw cancelled
            } catch {
                result.problems.append(FailureReason.text(error))
            }
            if held.ends < .now {
                if !isBack { result.hasLapsed = true }
                let next = try await enroll(&result)
                if isBack { result.returned.append(.now - began) }
                return next
            }
            try await Task.sleep(for: device.fleet.retry.wait(asked: asked, draw: jitter(retry, result.renewals.count)))
        }
        throw DeviceFailure("not renewed: \(result.problems.last ?? "no answer")")
    }

    private func jitter(_ retry: Int, _ renewals: Int) -> Double {
        var draws = SeededDraws(seed: plan.renewal.seed, purpose: "again/\(unit.number)/\(renewals)/\(retry)")
        return draws.fraction()
    }

    /// Between two renewals, whatever a wrong clock says.
    private static let pauseMin: Duration = .seconds(1)
}

/// A certificate with its end on the clock that does not jump.
struct HeldIdentity: Sendable {
    let identity: OperationalIdentity
    let received: ContinuousClock.Instant
    let ends: ContinuousClock.Instant

    init(_ identity: OperationalIdentity) throws {
        let certificate = try Certificate(derEncoded: identity.certificate)
        self.identity = identity
        received = .now
        ends = received + .seconds(certificate.notValidAfter.timeIntervalSinceNow)
    }

    /// What came for it: one certificate, of the same key, that lives longer.
    init(_ held: HeldIdentity, renewedBy answer: [UInt8]) throws {
        let certificates = try CertsOnly.decode(Base64Body.decode(answer).der)
        guard let der = certificates.first, certificates.count == 1,
            try Certificate(derEncoded: der).publicKey == held.identity.key.publicKey
        else { throw DeviceFailure("the renewed certificate is another's") }
        let next = OperationalIdentity(certificate: der, chain: held.identity.chain, key: held.identity.key)
        try self.init(next)
        guard ends > held.ends else { throw DeviceFailure("the renewed certificate lives no longer than the old one") }
    }
}

/// What became of one device.
struct RenewalResult: Sendable {
    /// The most requests that are told apart.
    static let asksMax = 10_000

    /// It holds a valid certificate in the end.
    var isCurrent = false
    /// It was on and had none for a while.
    var hasLapsed = false
    /// It came back after its certificate's end.
    var isOutdated = false
    var renewedAfterEnd = 0
    var renewals: [RenewalMoment] = []
    /// When it was enrolled anew after it had been away.
    var returned: [Duration] = []
    private(set) var asked: [Duration] = []
    /// What it was told instead of a certificate.
    var problems: [String] = []
    /// What ended it.
    var problem: String?

    mutating func asks(at time: Duration) {
        if asked.count < Self.asksMax { asked.append(time) }
    }
}

/// A renewal, so long after the beginning.
struct RenewalMoment: Sendable {
    let at: Duration
    let took: Duration
}
