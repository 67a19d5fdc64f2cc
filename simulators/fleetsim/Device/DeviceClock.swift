import EST
import Foundation
import NIOSSL
import SwiftASN1
import Synchronization
import X509

/// The clock of a device that was switched on with a wrong one, and what a sensible device makes of it (as RFC 8995
/// section 2.6.1 advises for devices without a clock that they trust): it is no more than a hint until a server has been
/// authenticated by its chain and name alone. The rules are those of `ClockEstimate`.
final class DeviceClock: Sendable {
    /// How wrong it is.
    enum Fault: Hashable, Sendable {
        /// It shows this time, in seconds since 1970.
        case at(seconds: Int)
        case ahead(days: Int)

        var text: String {
            switch self {
            case .at(let seconds): "at \(Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601))"
            case .ahead(let days): "ahead by \(days) d"
            }
        }
    }

    private let root: [UInt8]
    private let estimate: Mutex<ClockEstimate>

    /// - Parameters:
    ///   - now: The right time.
    ///   - root: The CA that the device was made with (DER), and so not before.
    init(_ fault: Fault, now: Date, root: [UInt8]) throws {
        let shown =
            switch fault {
            case .at(let seconds): Date(timeIntervalSince1970: Double(seconds))
            case .ahead(let days): now + Double(days) * 86_400
            }
        self.root = root
        let built = try Certificate(derEncoded: root).notValidBefore
        estimate = Mutex(ClockEstimate(shown: shown, at: .now, built: built))
    }

    /// True if a device with this clock takes the server for authentic.
    func accepts(_ chain: [NIOSSLCertificate], of endpoint: LoopbackEndpoint) -> Bool {
        guard let chain = try? chain.map({ try $0.toDERBytes() }),
            let validity = try? ServerChain.validity(chain, root: root, endpoint: endpoint)
        else { return false }
        return estimate.withLock { $0.accepts(validity, at: .now) }
    }

    /// Takes the Date field of an authenticated server's answer (RFC 9110 section 6.6.1).
    func hears(date field: String?) {
        guard let field, let seconds = HTTPDate.parse(field) else { return }
        estimate.withLock { $0.hears(Date(timeIntervalSince1970: Double(seconds)), at: .now) }
    }

    /// The time to hold an issued certificate against.
    func time(issuedNotBefore: Date) -> Date {
        estimate.withLock { $0.time(issuedNotBefore: issuedNotBefore, at: .now) }
    }
}

/// What a device takes the time to be. Pure.
///
/// 1. A clock before the device was built is wrong. So, at first boot, is one that contradicts a server whose chain and
///    name are right: nobody has set it yet. Then time is taken to be the latest notBefore of the chain, which it cannot
///    be before.
/// 2. A Date that an authenticated server sends is taken, if its own chain is valid at it. From then on the clock is
///    known, and certificates are held against it strictly.
/// 3. Without such a Date, the notBefore of the certificate that was issued is a lower bound too.
struct ClockEstimate: Sendable {
    private var shown: Date
    private var at: ContinuousClock.Instant
    private let built: Date
    private var server: ClosedRange<Date>?
    private(set) var isKnown = false

    /// - Parameter built: The device cannot have been switched on before.
    init(shown: Date, at: ContinuousClock.Instant, built: Date) {
        self.shown = shown
        self.at = at
        self.built = built
    }

    /// True if a server with a chain of that validity is taken.
    mutating func accepts(_ validity: ClosedRange<Date>, at now: ContinuousClock.Instant) -> Bool {
        server = validity
        let time = time(at: now)
        if time >= built, validity.contains(time) { return true }
        guard !isKnown else { return false }
        set(max(built, validity.lowerBound), at: now)
        return shown <= validity.upperBound
    }

    mutating func hears(_ date: Date, at now: ContinuousClock.Instant) {
        guard !isKnown, let server, server.contains(date), date >= built else { return }
        set(date, at: now)
        isKnown = true
    }

    /// The time, which the issue of a certificate is not after.
    mutating func time(issuedNotBefore: Date, at now: ContinuousClock.Instant) -> Date {
        if !isKnown, time(at: now) < issuedNotBefore { set(issuedNotBefore, at: now) }
        return time(at: now)
    }

    func time(at now: ContinuousClock.Instant) -> Date { shown + (now - at).milliseconds / 1000 }

    private mutating func set(_ time: Date, at now: ContinuousClock.Instant) {
        shown = time
        at = now
    }
}
