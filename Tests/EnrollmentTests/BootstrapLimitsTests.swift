import Foundation
import TestKit
import Testing

@testable import Enrollment

struct BootstrapLimitsTests {
    private static let own = BootstrapLimits(
        devicesMax: 1,
        devicesPerHour: 2,
        validFrom: TestClock.start,
        validUntil: TestClock.start.addingTimeInterval(1)
    )
    private static let anchors = BootstrapLimits(
        devicesMax: 10,
        devicesPerHour: 20,
        validFrom: TestClock.start.addingTimeInterval(10),
        validUntil: TestClock.start.addingTimeInterval(11)
    )

    @Test func `what a credential's own limits say holds, and where they are silent, its anchor's`() {
        #expect(Self.own.over(Self.anchors) == Self.own)
        #expect(BootstrapLimits().over(Self.anchors) == Self.anchors)
        #expect(BootstrapLimits().over(BootstrapLimits()).isEmpty)
        let mixed = BootstrapLimits(devicesPerHour: 2).over(BootstrapLimits(devicesMax: 10, devicesPerHour: 20))
        #expect(mixed == BootstrapLimits(devicesMax: 10, devicesPerHour: 2))
        let window = BootstrapLimits(validFrom: Self.own.validFrom).over(Self.anchors)
        #expect(window.validFrom == Self.own.validFrom)
        #expect(window.validUntil == Self.anchors.validUntil)
        #expect(window.devicesMax == 10)
    }

    @Test func `a limit of nothing is a limit, not silence`() {
        #expect(BootstrapLimits(devicesMax: 0).over(Self.anchors).devicesMax == 0)
        #expect(!BootstrapLimits(devicesMax: 0).isEmpty)
    }

    @Test func `a window begins at its first moment and is over at its last`() {
        let now = TestClock.start
        #expect(BootstrapLimits().isOpen(at: now))
        #expect(BootstrapLimits(validFrom: now).isOpen(at: now))
        #expect(!BootstrapLimits(validFrom: now.addingTimeInterval(0.001)).isOpen(at: now))
        #expect(!BootstrapLimits(validUntil: now).isOpen(at: now))
        #expect(BootstrapLimits(validUntil: now.addingTimeInterval(0.001)).isOpen(at: now))
        #expect(!BootstrapLimits(validFrom: now, validUntil: now).isOpen(at: now))
    }
}
