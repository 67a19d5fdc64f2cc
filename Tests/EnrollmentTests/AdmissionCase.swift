import Foundation
import PKI
import TestKit
import Testing

@testable import Enrollment

/// What stands between a bootstrap credential's holder and a certificate, part by part, for the rules alone.
struct AdmissionCase: Sendable, Hashable, CustomTestStringConvertible {
    enum Registered: CaseIterable, Sendable {
        case not, bare, key, otherKey, idevid, otherIDevID
    }

    enum Device: CaseIterable, Sendable {
        case unknown, sameKey, otherKey
    }

    enum Block: CaseIterable, Sendable {
        case none, anchor, credential
    }

    enum Window: CaseIterable, Sendable {
        case open, anchorNotYet, credentialOver
    }

    enum Reached: CaseIterable, Sendable {
        case none, credentialDevices, anchorDevices, credentialHour, anchorHour
    }

    enum Approval: CaseIterable, Sendable {
        case notAsked, pending, approved, rejected, queueFull

        var state: ApprovalState? {
            switch self {
            case .notAsked, .queueFull: nil
            case .pending: .pending
            case .approved: .approved
            case .rejected: .rejected
            }
        }
    }

    static let now = TestClock.start
    static let key = [UInt8](repeating: 1, count: 32)
    static let otherKey = [UInt8](repeating: 2, count: 32)
    static let credential = [UInt8](repeating: 4, count: 32)

    var policy = EnrollmentPolicy.open
    var isClaim = false
    var registered = Registered.not
    var device = Device.unknown
    var keyChange = KeyChangeRule.refuse
    var approval = Approval.notAsked
    var block = Block.none
    var window = Window.open
    var reached = Reached.none

    var testDescription: String {
        """
        \(policy) \(isClaim ? "claim" : "idevid"), registered: \(registered), device: \(device), \
        key change: \(keyChange), approval: \(approval), blocked: \(block), window: \(window), reached: \(reached)
        """
    }

    /// What the rules say, in one word or two: `issue RULE`, `repeat RULE`, `ask RULE`, `wait RULE`, or a reason.
    func outcome(_ world: TestFleet) -> String {
        switch decide(world) {
        case .issue(_, _, _, let rule): "issue \(rule)"
        case .repeatCertificate(_, let rule): "repeat \(rule)"
        case .wait(_, let isAsked, let rule): "\(isAsked ? "wait" : "ask") \(rule)"
        case .refuse(let refusal): refusal.reason.rawValue
        }
    }

    func decide(_ world: TestFleet) -> EnrollmentDecision {
        EnrollmentRules.decide(
            .bootstrap(
                BootstrapIdentity(
                    anchor: anchor(world),
                    subject: .empty,
                    credentialSHA256: Self.credential,
                    publicKeySHA256: [UInt8](repeating: 3, count: 32)
                )
            ),
            publicKeySHA256: Self.key,
            policy: policy,
            situation: EnrollmentSituation(
                device: known,
                keyBelongsToAnother: false,
                registration: registration,
                approval: approval.state,
                standing: standing,
                pending: approval == .queueFull ? EnrollmentPolicy.pendingMax : EnrollmentPolicy.pendingMax - 1
            ),
            now: Self.now
        )
    }

    private func anchor(_ world: TestFleet) -> BootstrapAnchor {
        var limits = AnchorLimits()
        switch window {
        case .open: break
        case .anchorNotYet: limits.whole.validFrom = Self.now.addingTimeInterval(1)
        case .credentialOver: limits.credential.validUntil = Self.now
        }
        switch reached {
        case .none: break
        case .credentialDevices: limits.credential.devicesMax = 5
        case .anchorDevices: limits.whole.devicesMax = 50
        case .credentialHour: limits.credential.devicesPerHour = 2
        case .anchorHour: limits.whole.devicesPerHour = 20
        }
        return BootstrapAnchor(
            id: TestFleet.manufacturerID,
            name: "manufacturer",
            certificate: world.manufacturer.certificate,
            rule: isClaim ? .requestCommonName : .subjectSerialNumber,
            keyChange: keyChange,
            limits: limits
        )
    }

    private var standing: BootstrapStanding {
        BootstrapStanding(
            anchor: .init(isBlocked: block == .anchor, devices: 50, devicesLastHour: 20),
            credential: .init(isBlocked: block == .credential, devices: 5, devicesLastHour: 2)
        )
    }

    private var registration: Registration? {
        switch registered {
        case .not: nil
        case .bare: Registration()
        case .key: Registration(publicKeySHA256: Self.key)
        case .otherKey: Registration(publicKeySHA256: Self.otherKey)
        case .idevid: Registration(idevidSHA256: Self.credential)
        case .otherIDevID: Registration(idevidSHA256: [UInt8](repeating: 9, count: 32))
        }
    }

    private var known: KnownDevice? {
        guard device != .unknown else { return nil }
        return KnownDevice(
            current: RecordedCertificate(
                issuer: IssuerID(1),
                serialNumber: [10],
                publicKeySHA256: device == .sameKey ? Self.key : Self.otherKey,
                notBefore: Self.now.addingTimeInterval(-.day),
                notAfter: Self.now.addingTimeInterval(.day),
                isRevoked: false,
                der: [0x30]
            ),
            renewableSerialNumber: nil,
            enrolledAt: Self.now.addingTimeInterval(-.day),
            currentIsUsed: true,
            idevidAnchor: nil
        )
    }
}
