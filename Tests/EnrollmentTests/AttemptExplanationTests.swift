import Foundation
import PKI
import TestKit
import Testing

@testable import Enrollment

struct AttemptExplanationTests {
    private static let credential = String(repeating: "ab", count: 32)
    private static let key = String(repeating: "cd", count: 32)

    /// An attempt as the record gives it back.
    private static func entry(
        _ reason: String? = nil,
        rule: String? = nil,
        outcome: String = "refused",
        fleet: String? = "meters",
        device: String? = "meter-1",
        kind: String = "idevid",
        subject: String = "CN=Meter 1",
        anchor: String = "manufacturer",
        detail: String? = nil
    ) -> AttemptEntry {
        AttemptEntry(
            id: 7,
            at: TestClock.start,
            requestID: UUID(),
            fleet: fleet,
            device: device,
            operation: "simpleenroll",
            source: "192.0.2.7",
            credentialKind: kind,
            credentialSHA256: [UInt8](repeating: 0xAB, count: 32),
            credentialSubject: subject,
            anchor: anchor,
            publicKeySHA256: [UInt8](repeating: 0xCD, count: 32),
            stage: "policy",
            rule: rule ?? reason ?? "open-first",
            outcome: outcome,
            reason: reason,
            detail: detail,
            issuer: nil,
            serialNumber: nil
        )
    }

    private static func command(_ reason: RefusalReason, kind: String = "idevid", detail: String? = nil) -> String? {
        AttemptExplanation(entry(reason.rawValue, kind: kind, detail: detail)).remedy?.command
    }

    @Test(arguments: RefusalReason.allCases)
    func `each reason has words of its own, names its rule and says what to do`(_ reason: RefusalReason) {
        let explanation = AttemptExplanation(Self.entry(reason.rawValue))
        #expect(explanation.summary.hasPrefix("The device meter-1 "))
        #expect(explanation.summary.hasSuffix("(rule \(reason.rawValue))."))
        #expect(!explanation.summary.contains("does not know"))
        #expect(explanation.remedy?.text.isEmpty == false)
    }

    @Test func `no two reasons have the same words`() {
        let summaries = RefusalReason.allCases.map { AttemptExplanation(Self.entry($0.rawValue)) }
            .map { $0.summary.split(separator: " (rule").first }
        #expect(Set(summaries).count == RefusalReason.allCases.count)
    }

    @Test func `the evidence is what the attempt left, each with its label`() {
        let explanation = AttemptExplanation(Self.entry("device-not-registered", detail: "not registered"))
        let expected: [AttemptExplanation.Evidence] = [
            .init(label: "rule", value: "device-not-registered"), .init(label: "stage", value: "policy"),
            .init(label: "fleet", value: "meters"), .init(label: "device", value: "meter-1"),
            .init(label: "operation", value: "simpleenroll"), .init(label: "source address", value: "192.0.2.7"),
            .init(label: "credential", value: "idevid"), .init(label: "credential's subject", value: "CN=Meter 1"),
            .init(label: "credential's SHA-256", value: Self.credential),
            .init(label: "anchor", value: "manufacturer"), .init(label: "public key's SHA-256", value: Self.key),
            .init(label: "detail", value: "not registered"),
        ]
        #expect(explanation.evidence == expected)
    }

    @Test func `a device that is not registered is explained to the letter`() {
        let explanation = AttemptExplanation(Self.entry("device-not-registered"))
        #expect(
            explanation.summary == """
                The device meter-1 is not registered in the fleet meters, which admits only devices that are \
                (rule device-not-registered).
                """
        )
        #expect(explanation.remedy?.command == "muster registration add meter-1 --fleet meters")
    }

    @Test func `the command for each reason that an operator can mend does it`() {
        let limit = "muster credential limit \(Self.credential) --fleet meters --devices N"
        let add = "muster registration add meter-1 --fleet meters --key-sha256 \(Self.key)"
        let apply = "muster fleet apply FILE"
        #expect(Self.command(.keyNotRegistered) == "\(add) --idevid-sha256 \(Self.credential)")
        #expect(Self.command(.keyNotRegistered, kind: "claim") == add)
        #expect(Self.command(.idevidNotRegistered) == "\(add) --idevid-sha256 \(Self.credential)")
        #expect(Self.command(.idevidNotRegistered, kind: "claim") == add)
        #expect(Self.command(.anchorBlocked) == "muster anchor unblock manufacturer --fleet meters")
        #expect(Self.command(.credentialBlocked) == "muster credential unblock \(Self.credential) --fleet meters")
        #expect(Self.command(.credentialDeviceLimit) == limit)
        #expect(Self.command(.credentialRateLimit) == "\(limit) --per-hour N")
        #expect(Self.command(.outsideValidityWindow) == "\(limit) --valid-until T")
        #expect(Self.command(.outsideValidityWindow, detail: "the anchor x is accepted") == apply)
        #expect(Self.command(.approvalRejected) == "muster approval approve meter-1 --fleet meters")
        #expect(Self.command(.approvalQueueFull) == "muster approval list --fleet meters")
        #expect(Self.command(.certificateNotTrusted) == "muster anchor list --fleet meters")
        for reason: RefusalReason in [
            .anchorDeviceLimit, .anchorRateLimit, .deviceHasAnotherKey, .deviceIDMissing, .keyNotAccepted,
        ] { #expect(Self.command(reason) == apply) }
        #expect(Self.command(.deviceIDMissing, kind: "claim") == nil)
        for reason: RefusalReason in [
            .requestUnreadable, .signatureInvalid, .keyOfAnotherDevice, .certificateRevoked, .clientCertificateRequired,
        ] { #expect(Self.command(reason) == nil) }
    }

    @Test func `a limit's remedy tells how the mark that it left goes away, and no other does`() {
        let marking = RefusalReason.allCases.filter { reason in
            AttemptExplanation(Self.entry(reason.rawValue)).remedy?.text.contains("muster credential clear") == true
        }
        #expect(marking == RefusalReason.allCases.filter(\.marksCredential))
    }

    @Test func `whose window it was is read from what the rules really say`() async throws {
        for whole in [true, false] {
            let closed = BootstrapLimits(validUntil: TestClock.start)
            let limits = AnchorLimits(
                whole: whole ? closed : BootstrapLimits(),
                credential: whole ? BootstrapLimits() : closed
            )
            let terms = AnchorTerms(.subjectSerialNumber, limits: limits)
            let bench = try Bench(world: TestFleet(manufacturer: terms))
            _ = try await bench.enroll(bench.world.idevid("meter-1"), key: .make())
            let detail = try #require(bench.record.attempts.only?.refusal?.detail)
            let command = Self.command(.outsideValidityWindow, detail: detail)
            #expect(command?.hasPrefix(whole ? "muster fleet apply" : "muster credential limit") == true)
        }
    }

    @Test(arguments: [
        "open-first", "allowlist-first", "approved-first", "idevid-replaces", "claim-replaces", "same-key",
        "same-key-expired", "renew", "rekey", "rekey-unsaved", "approved-key-change",
        "approved-reenrollment", "cleared",
    ])
    func `each rule that grants has words of its own`(_ rule: String) {
        let explanation = AttemptExplanation(Self.entry(rule: rule, outcome: "issued"))
        #expect(explanation.summary.hasPrefix("The device meter-1 "))
        #expect(explanation.summary.hasSuffix("(rule \(rule))."))
        #expect(!explanation.summary.contains("does not know"))
    }

    @Test(arguments: ["approval-first", "approval-key-change", "approval-reenrollment"])
    func `a device that waits is approved by a command`(_ rule: String) {
        let explanation = AttemptExplanation(Self.entry(rule: rule, outcome: "pending"))
        #expect(explanation.summary.contains("waits for approval"))
        #expect(!explanation.summary.contains("does not know"))
        #expect(explanation.remedy?.command == "muster approval approve meter-1 --fleet meters")
    }

    @Test(arguments: [
        entry("quantum-refusal"), entry(rule: "quantum-first", outcome: "issued"),
        entry(rule: "quantum-wait", outcome: "pending"), entry(rule: "quantum", outcome: "teleported"),
    ])
    func `codes of a newer server are said to be unknown, and the evidence still stands`(_ entry: AttemptEntry) {
        let explanation = AttemptExplanation(entry)
        #expect(explanation.summary.contains("this version of muster does not know (rule quantum"))
        #expect(explanation.evidence.contains(.init(label: "credential's SHA-256", value: Self.credential)))
    }

    @Test func `where the fleet or the device is not known, there is no command`() {
        for reason in RefusalReason.allCases {
            let nowhere = AttemptExplanation(Self.entry(reason.rawValue, fleet: nil, device: nil))
            #expect(nowhere.summary.hasPrefix("A device "))
            #expect([nil, "muster fleet apply FILE"].contains(nowhere.remedy?.command))
        }
    }

    @Test(arguments: RefusalReason.allCases)
    func `what strangers wrote stands in the evidence alone, on one line`(_ reason: RefusalReason) {
        let hostile = "x\u{0}\n$(reboot)\u{202E}`reboot`; muster fleet apply /dev/stdin"
        let plain = "x??$(reboot)?`reboot`; muster fleet apply /dev/stdin"
        let explanation = AttemptExplanation(Self.entry(reason.rawValue, subject: hostile, detail: hostile))
        #expect(explanation.evidence.contains(.init(label: "credential's subject", value: plain)))
        #expect(explanation.evidence.contains(.init(label: "detail", value: plain)))
        for text in [explanation.summary, explanation.remedy?.text, explanation.remedy?.command] {
            #expect(text?.contains("reboot") != true)
            #expect(text?.contains("/dev/stdin") != true)
        }
    }

    @Test(arguments: [
        "plain": "plain", "a b": "'a b'", "a'b": #"'a'\''b'"#, "$(reboot)": "'$(reboot)'", "a\nb": "'a?b'",
        "": "''", "`x`": "'`x`'", "ä": "'ä'", "A._@:/-9": "A._@:/-9", "a;b": "'a;b'",
    ])
    func `a name in a command is one word of a shell`(_ text: String, _ quoted: String) {
        #expect(OperatorCommand("anchor unblock", text).text == "muster anchor unblock \(quoted)")
    }

    @Test func `a name in a command is never an option`() {
        let explanation = AttemptExplanation(Self.entry("device-not-registered", fleet: "-f", device: "--help"))
        #expect(explanation.remedy?.command == "muster registration add --fleet=-f -- --help")
    }
}
