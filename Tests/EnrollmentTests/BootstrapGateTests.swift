import Foundation
import TestKit
import Testing

@testable import Enrollment

/// Whether a bootstrap credential lets in new devices, as operators see it before they revoke what it let in.
struct BootstrapGateTests {
    private static let now = TestClock.start
    private static let block = BlockEntry(at: now, by: "operator ada", comment: nil)
    private static let over = BootstrapLimits(validUntil: now)
    private static let two = BootstrapLimits(devicesMax: 2)

    private static func gate(
        limits: AnchorLimits = AnchorLimits(),
        anchorBlock: BlockEntry? = nil,
        own: BootstrapLimits = BootstrapLimits(),
        block: BlockEntry? = nil
    ) -> BootstrapGate {
        BootstrapGate(
            AnchorEntry(
                name: "claims",
                certificate: [],
                rule: .requestCommonName,
                keyChange: .refuse,
                limits: limits,
                devices: 5,
                devicesLastHour: 5,
                block: anchorBlock
            ),
            credential: credential(own: own, block: block)
        )
    }

    private static func credential(own: BootstrapLimits, block: BlockEntry?) -> CredentialEntry {
        CredentialEntry(
            sha256: [UInt8](repeating: 7, count: 32),
            anchor: "claims",
            kind: .claim,
            subject: nil,
            firstSeenAt: nil,
            lastSeenAt: nil,
            devices: 2,
            devicesLastHour: 2,
            limits: own,
            block: block,
            markedAt: nil,
            markedReason: nil
        )
    }

    @Test func `a block, a window that is over and a limit that is reached close it, its own or its anchor's`() {
        let closed: [(BootstrapGate, RefusalReason?)] = [
            (Self.gate(), nil), (Self.gate(anchorBlock: Self.block), .anchorBlocked),
            (Self.gate(block: Self.block), .credentialBlocked),
            (Self.gate(limits: AnchorLimits(whole: Self.over)), .outsideValidityWindow),
            (Self.gate(limits: AnchorLimits(credential: Self.over)), .outsideValidityWindow),
            (Self.gate(own: Self.over), .outsideValidityWindow), (Self.gate(own: Self.two), .credentialDeviceLimit),
            (Self.gate(limits: AnchorLimits(credential: Self.two)), .credentialDeviceLimit),
            (Self.gate(limits: AnchorLimits(whole: Self.two)), .anchorDeviceLimit),
            (Self.gate(limits: AnchorLimits(credential: Self.two), own: BootstrapLimits(devicesMax: 3)), nil),
        ]
        for (gate, reason) in closed { #expect(gate.closed(at: Self.now)?.reason == reason, "\(gate)") }
    }

    @Test func `a limit by the hour refuses devices, and closes nothing`() {
        let slow = BootstrapLimits(devicesPerHour: 1)
        #expect(Self.gate(own: slow).overLimit()?.reason == .credentialRateLimit)
        #expect(Self.gate(limits: AnchorLimits(whole: slow)).overLimit()?.reason == .anchorRateLimit)
        #expect(Self.gate(own: slow).closed(at: Self.now) == nil)
    }

    @Test func `what is said of the credential counts though nobody knows its anchor`() {
        let open = Self.credential(own: BootstrapLimits(), block: nil)
        #expect(BootstrapGate(nil, credential: open).closed(at: Self.now) == nil)
        let blocked = Self.credential(own: BootstrapLimits(), block: Self.block)
        #expect(BootstrapGate(nil, credential: blocked).closed(at: Self.now)?.reason == .credentialBlocked)
    }
}
