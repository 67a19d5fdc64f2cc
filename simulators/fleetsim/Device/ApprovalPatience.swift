/// How long a device goes on asking while an operator's approval is awaited. Pure.
struct ApprovalPatience: Hashable, Sendable {
    /// The least between two tries, whatever Retry-After says.
    static let pauseMin: Duration = .seconds(1)

    /// How long a device waits in all; zero if it does not come back.
    let waitMax: Duration

    /// How long to wait before the same request is sent again; nil if that is longer than patience lasts. A device never
    /// asks sooner than Retry-After says (RFC 7030 section 4.2.3).
    /// - Parameters:
    ///   - asked: The wait that Retry-After names.
    ///   - waited: How long the device has waited since the first 202.
    func pause(asked: Duration, waited: Duration) -> Duration? {
        let pause = max(asked, Self.pauseMin)
        return waited + pause <= waitMax ? pause : nil
    }
}
