import Foundation
import PKI
import TestKit
import Testing

@testable import Enrollment

/// Who is let in: each policy with all that can stand in the way.
struct AdmissionRulesTests {
    private typealias Case = AdmissionCase

    struct Row: Sendable, CustomTestStringConvertible {
        let `case`: AdmissionCase
        let expected: String

        init(_ expected: String, _ change: (inout AdmissionCase) -> Void = { _ in }) {
            var one = AdmissionCase()
            change(&one)
            `case` = one
            self.expected = expected
        }

        var testDescription: String { "\(expected) ← \(`case`.testDescription)" }
    }

    static let policies: [Row] = [
        Row("issue open-first"),
        Row("issue open-first") { $0.registered = .bare },
        Row("device-not-registered") { $0.policy = .allowlist },
        Row("issue allowlist-first") { ($0.policy, $0.registered) = (.allowlist, .bare) },
        Row("ask approval-first") { $0.policy = .approval },
        Row("ask approval-first") { ($0.policy, $0.registered) = (.approval, .bare) },
        Row("wait approval-first") { ($0.policy, $0.approval) = (.approval, .pending) },
        Row("issue approved-first") { ($0.policy, $0.approval) = (.approval, .approved) },
        Row("approval-rejected") { ($0.policy, $0.approval) = (.approval, .rejected) },
        Row("approval-queue-full") { ($0.policy, $0.approval) = (.approval, .queueFull) },
        // Nobody is asked of a device that was approved or rejected under another policy.
        Row("issue open-first") { $0.approval = .rejected },
        Row("device-not-registered") { ($0.policy, $0.approval) = (.allowlist, .approved) },
    ]

    static let pins: [Row] = EnrollmentPolicy.allCases.flatMap { policy in
        let granted =
            switch policy {
            case .open: "issue open-first"
            case .allowlist: "issue allowlist-first"
            case .approval: "ask approval-first"
            }
        return [
            Row(granted) { ($0.policy, $0.registered) = (policy, .key) },
            Row("key-not-registered") { ($0.policy, $0.registered) = (policy, .otherKey) },
            Row(granted) { ($0.policy, $0.registered) = (policy, .idevid) },
            Row("idevid-not-registered") { ($0.policy, $0.registered) = (policy, .otherIDevID) },
            Row(granted) { ($0.policy, $0.registered, $0.isClaim) = (policy, .key, true) },
            // A claim's own SHA-256 is no IDevID's.
            Row("idevid-not-registered") { ($0.policy, $0.registered, $0.isClaim) = (policy, .idevid, true) },
            // A registration binds a device that is enrolled too.
            Row("key-not-registered") { ($0.policy, $0.registered, $0.device) = (policy, .otherKey, .sameKey) },
        ]
    }

    static let keyChanges: [Row] = [
        Row("issue idevid-replaces") { ($0.device, $0.keyChange) = (.otherKey, .replace) },
        Row("issue claim-replaces") { ($0.device, $0.keyChange, $0.isClaim) = (.otherKey, .replace, true) },
        Row("device-has-another-key") { $0.device = .otherKey },
        Row("device-has-another-key") { ($0.device, $0.isClaim) = (.otherKey, true) },
        Row("device-has-another-key") { ($0.device, $0.approval, $0.policy) = (.otherKey, .approved, .approval) },
        Row("ask approval-key-change") { ($0.device, $0.keyChange) = (.otherKey, .approve) },
        Row("wait approval-key-change") { ($0.device, $0.keyChange, $0.approval) = (.otherKey, .approve, .pending) },
        Row("issue approved-key-change") { ($0.device, $0.keyChange, $0.approval) = (.otherKey, .approve, .approved) },
        Row("approval-rejected") { ($0.device, $0.keyChange, $0.approval) = (.otherKey, .approve, .rejected) },
        Row("approval-queue-full") { ($0.device, $0.keyChange, $0.approval) = (.otherKey, .approve, .queueFull) },
        // The policy is about new devices: one that is enrolled is not approved again.
        Row("issue idevid-replaces") { ($0.device, $0.keyChange, $0.policy) = (.otherKey, .replace, .approval) },
        Row("repeat same-key") { ($0.device, $0.policy) = (.sameKey, .approval) },
        Row("device-not-registered") { ($0.device, $0.policy) = (.sameKey, .allowlist) },
    ]

    static let limits: [Row] = [
        Row("anchor-blocked") { $0.block = .anchor },
        Row("credential-blocked") { $0.block = .credential },
        Row("anchor-blocked") { ($0.block, $0.device) = (.anchor, .sameKey) },
        Row("outside-validity-window") { $0.window = .anchorNotYet },
        Row("outside-validity-window") { $0.window = .credentialOver },
        Row("outside-validity-window") { ($0.window, $0.device) = (.credentialOver, .sameKey) },
        Row("credential-device-limit") { $0.reached = .credentialDevices },
        Row("anchor-device-limit") { $0.reached = .anchorDevices },
        Row("credential-rate-limit") { $0.reached = .credentialHour },
        Row("anchor-rate-limit") { $0.reached = .anchorHour },
        // Limits are about new devices.
        Row("repeat same-key") { ($0.reached, $0.device) = (.credentialDevices, .sameKey) },
        Row("issue idevid-replaces") {
            ($0.reached, $0.device, $0.keyChange) = (.anchorHour, .otherKey, .replace)
        },
        // No operator is asked about a device that may not come in anyway.
        Row("credential-device-limit") { ($0.reached, $0.policy) = (.credentialDevices, .approval) },
        Row("credential-device-limit") {
            ($0.reached, $0.policy, $0.approval) = (.credentialDevices, .approval, .approved)
        },
        // What an operator blocked is told first, then the window, the registration, the limits.
        Row("credential-blocked") {
            ($0.block, $0.window, $0.policy, $0.reached) = (.credential, .anchorNotYet, .allowlist, .anchorHour)
        },
        Row("outside-validity-window") {
            ($0.window, $0.policy, $0.reached) = (.anchorNotYet, .allowlist, .anchorHour)
        },
        Row("device-not-registered") { ($0.policy, $0.reached) = (.allowlist, .anchorHour) },
    ]

    @Test(arguments: policies)
    func `each policy lets in whom it says`(_ row: Row) throws {
        #expect(row.case.outcome(try TestFleet()) == row.expected)
    }

    @Test(arguments: pins)
    func `a registration that names a key or an IDevID admits no other`(_ row: Row) throws {
        #expect(row.case.outcome(try TestFleet()) == row.expected)
    }

    @Test(arguments: keyChanges)
    func `an enrolled device's key changes by its anchor's rule`(_ row: Row) throws {
        #expect(row.case.outcome(try TestFleet()) == row.expected)
    }

    @Test(arguments: limits)
    func `blocks, windows and limits come before what the policy grants`(_ row: Row) throws {
        #expect(row.case.outcome(try TestFleet()) == row.expected)
    }

    @Test(arguments: EnrollmentPolicy.allCases, AdmissionCase.Registered.allCases)
    func `in every combination a refusal names something that is in the way, and nothing else refuses`(
        policy: EnrollmentPolicy,
        registered: AdmissionCase.Registered
    ) throws {
        let world = try TestFleet()
        var wrong: [String] = []
        for one in Self.combinations(policy, registered) {
            let obstacles = Self.obstacles(one)
            let expected = obstacles.isEmpty ? Self.granted(one) : obstacles
            let outcome = one.outcome(world)
            if !expected.contains(outcome) { wrong.append("\(outcome) for \(one.testDescription)") }
        }
        #expect(wrong.isEmpty, "\(wrong.count) wrong, such as \(wrong.prefix(3))")
    }

    @Test func `a new device is let in under the limits that were judged, and an enrolled one under none`() throws {
        let world = try TestFleet()
        var one = AdmissionCase()
        one.isClaim = true
        guard case .issue(let replaces, _, let admission, _) = one.decide(world) else {
            Issue.record("not issued")
            return
        }
        #expect(replaces == nil)
        #expect(admission?.anchor == TestFleet.manufacturerID)
        #expect(admission?.credentialSHA256 == AdmissionCase.credential)
        #expect(admission?.kind == .claim)
        (one.device, one.keyChange) = (.otherKey, .replace)
        guard case .issue(let known, _, nil, _) = one.decide(world) else {
            Issue.record("not issued, or admitted anew")
            return
        }
        #expect(known == [10])
    }

    private static func combinations(
        _ policy: EnrollmentPolicy,
        _ registered: AdmissionCase.Registered
    ) -> [AdmissionCase] {
        var all: [AdmissionCase] = [AdmissionCase(policy: policy, registered: registered)]
        func vary<Value>(_ part: WritableKeyPath<AdmissionCase, Value>, _ values: [Value]) {
            all = all.flatMap { one in
                values.map { value in
                    var copy = one
                    copy[keyPath: part] = value
                    return copy
                }
            }
        }
        vary(\.isClaim, [false, true])
        vary(\.device, AdmissionCase.Device.allCases)
        vary(\.keyChange, KeyChangeRule.allCases)
        vary(\.approval, AdmissionCase.Approval.allCases)
        vary(\.block, AdmissionCase.Block.allCases)
        vary(\.window, AdmissionCase.Window.allCases)
        vary(\.reached, AdmissionCase.Reached.allCases)
        return all
    }

    /// All that is in the way, in no order.
    private static func obstacles(_ one: AdmissionCase) -> Set<String> {
        var found: Set<String> = []
        if one.block == .anchor { found.insert("anchor-blocked") }
        if one.block == .credential { found.insert("credential-blocked") }
        if one.window != .open { found.insert("outside-validity-window") }
        if one.policy == .allowlist, one.registered == .not { found.insert("device-not-registered") }
        if one.registered == .otherKey { found.insert("key-not-registered") }
        if one.registered == .otherIDevID { found.insert("idevid-not-registered") }
        if one.registered == .idevid, one.isClaim { found.insert("idevid-not-registered") }
        let asks = one.device == .unknown ? one.policy == .approval : changesKey(one) && one.keyChange == .approve
        if asks, one.approval == .rejected { found.insert("approval-rejected") }
        if asks, one.approval == .queueFull { found.insert("approval-queue-full") }
        if changesKey(one), one.keyChange == .refuse { found.insert("device-has-another-key") }
        guard one.device == .unknown else { return found }
        switch one.reached {
        case .none: break
        case .credentialDevices: found.insert("credential-device-limit")
        case .anchorDevices: found.insert("anchor-device-limit")
        case .credentialHour: found.insert("credential-rate-limit")
        case .anchorHour: found.insert("anchor-rate-limit")
        }
        return found
    }

    /// What follows when nothing is in the way.
    private static func granted(_ one: AdmissionCase) -> Set<String> {
        func approved(_ asked: String, _ issued: String) -> Set<String> {
            switch one.approval {
            case .approved: ["issue \(issued)"]
            case .pending: ["wait \(asked)"]
            case .notAsked, .rejected, .queueFull: ["ask \(asked)"]
            }
        }
        switch (one.device, one.policy, one.keyChange) {
        case (.unknown, .open, _): return ["issue open-first"]
        case (.unknown, .allowlist, _): return ["issue allowlist-first"]
        case (.unknown, .approval, _): return approved("approval-first", "approved-first")
        case (.sameKey, _, _): return ["repeat same-key"]
        case (.otherKey, _, .approve): return approved("approval-key-change", "approved-key-change")
        case (.otherKey, _, _): return [one.isClaim ? "issue claim-replaces" : "issue idevid-replaces"]
        }
    }

    private static func changesKey(_ one: AdmissionCase) -> Bool { one.device == .otherKey }
}
