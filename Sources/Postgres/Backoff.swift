/// How long to pause after failures in a row, before the next attempt to connect.
struct Backoff {
    /// The first and the longest pause, in nanoseconds.
    var pauseMin: UInt64
    var pauseMax: UInt64

    private static let doublingsMax = 20

    /// Doubles with each failure up to the longest, of which a random half to whole is taken, so that replicas do not
    /// come back all at once.
    /// - Parameter jitter: A random number from 0 to 1.
    func pause(failures: Int, jitter: Double) -> UInt64 {
        let doublings = UInt64(min(max(failures - 1, 0), Self.doublingsMax))
        let (product, overflow) = pauseMin.multipliedReportingOverflow(by: 1 << doublings)
        let whole = overflow ? pauseMax : min(product, pauseMax)
        return UInt64(Double(whole) * (0.5 + 0.5 * min(max(jitter, 0), 1)))
    }
}
