/// How a device asks again. Pure.
struct RetryPolicy: Hashable, Sendable {
    /// The most that can be asked for.
    static let retriesBound = 1000

    /// How often, of all its steps together; while it waits for approval, of each time anew.
    var retriesMax = 5
    /// The longest that it waits between two tries, whatever Retry-After says; approval has `ApprovalPatience`.
    var waitMax: Duration = .seconds(30)
    /// How long it waits after a connection that failed.
    var reconnectWait: Duration = .seconds(1)
    /// How much longer it may wait, as a share of the wait, so that devices which were sent away together do not come
    /// back together.
    var jitter = 0.0

    /// How long to wait before the next try, never less than asked for (RFC 9110 section 10.2.3) but for `waitMax`.
    /// - Parameters:
    ///   - asked: What Retry-After says; nil if the connection failed.
    ///   - draw: 0 to 1.
    func wait(asked: Duration?, draw: Double) -> Duration {
        let wait = min(asked ?? reconnectWait, waitMax)
        return wait + wait * (jitter * draw)
    }
}
