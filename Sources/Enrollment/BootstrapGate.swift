package import Foundation

/// What stands between a bootstrap credential and a device, whichever device that is: blocks, windows of time, limits. Who
/// decides on an enrollment asks it, and so does who looks ahead.
package struct BootstrapGate: Sendable {
    /// The anchor's name.
    let anchor: String
    let limits: AnchorLimits
    /// Nil if the record said nothing of the two.
    let standing: BootstrapStanding?

    init(_ anchor: BootstrapAnchor, standing: BootstrapStanding?) {
        self.anchor = anchor.name
        limits = anchor.limits
        self.standing = standing
    }

    /// As operators look at the two.
    /// - Parameter anchor: Nil if nobody knows which anchor's the credential is.
    package init(_ anchor: AnchorEntry?, credential: CredentialEntry) {
        self.anchor = anchor?.name ?? "unknown"
        limits = anchor?.limits ?? AnchorLimits()
        standing = BootstrapStanding(
            anchor: .init(
                isBlocked: anchor?.block != nil,
                devices: anchor?.devices ?? 0,
                devicesLastHour: anchor?.devicesLastHour ?? 0
            ),
            credential: .init(
                isBlocked: credential.block != nil,
                devices: credential.devices,
                devicesLastHour: credential.devicesLastHour
            ),
            credentialLimits: credential.limits
        )
    }

    /// The credential's own limits, and where they are silent, its anchor's.
    var credentialLimits: BootstrapLimits { standing?.credentialLimits.over(limits.credential) ?? limits.credential }

    /// Why the credential lets in no new device until an operator or a window of time opens it; nil if it does. What it has
    /// let in within the hour closes it for no longer than that, and does not count.
    package func closed(at now: Date) -> Refusal? { blocked() ?? outsideWindow(at: now) ?? full() }

    func blocked() -> Refusal? {
        if standing?.anchor.isBlocked == true {
            return Refusal(.anchorBlocked, "an operator blocked the anchor \(anchor)")
        }
        if standing?.credential.isBlocked == true {
            return Refusal(.credentialBlocked, "an operator blocked this bootstrap credential")
        }
        return nil
    }

    func outsideWindow(at now: Date) -> Refusal? {
        for (whose, limits) in [("the anchor \(anchor)", limits.whole), ("the credential", credentialLimits)]
        where !limits.isOpen(at: now) {
            let from = limits.validFrom.map { " from \($0.formatted(.iso8601))" } ?? ""
            let until = limits.validUntil.map { " until \($0.formatted(.iso8601))" } ?? ""
            return Refusal(.outsideValidityWindow, "\(whose) is accepted\(from)\(until), and not now")
        }
        return nil
    }

    /// Whether a new device would be one too many.
    func overLimit() -> Refusal? { full() ?? tooFast() }

    private func full() -> Refusal? {
        guard let standing else { return nil }
        if let max = credentialLimits.devicesMax, standing.credential.devices >= max {
            return Refusal(
                .credentialDeviceLimit,
                "the bootstrap credential has let in \(standing.credential.devices) devices of \(max)"
            )
        }
        if let max = limits.whole.devicesMax, standing.anchor.devices >= max {
            return Refusal(
                .anchorDeviceLimit,
                "the anchor \(anchor) has let in \(standing.anchor.devices) devices of \(max)"
            )
        }
        return nil
    }

    private func tooFast() -> Refusal? {
        guard let standing else { return nil }
        if let max = credentialLimits.devicesPerHour, standing.credential.devicesLastHour >= max {
            return Refusal(
                .credentialRateLimit,
                "the bootstrap credential has let in \(standing.credential.devicesLastHour) devices of \(max) an hour"
            )
        }
        if let max = limits.whole.devicesPerHour, standing.anchor.devicesLastHour >= max {
            return Refusal(
                .anchorRateLimit,
                "the anchor \(anchor) has let in \(standing.anchor.devicesLastHour) devices of \(max) an hour"
            )
        }
        return nil
    }
}
