/// What a fleet that renews is to come to. Pure.
struct RenewalLimits: Hashable, Sendable {
    /// Of a renewal, from the first try to the certificate.
    var p50: Duration?
    var p99: Duration?
    /// The least share of the devices that hold a certificate in the end which is valid, 0 to 1.
    var current = 1.0
    /// The most devices that were on and had no valid certificate for a while.
    var lapsed = 0
    /// The least share of those that came back with an ended certificate and got another, 0 to 1.
    var returned = 1.0
    /// The most requests of all devices in any second.
    var peak: Int?
    var duration: Duration?

    /// Each limit with what was measured.
    func judge(_ measured: RenewalMeasures) -> [LimitReport] {
        var reports = [
            LimitReport.atLeast("current", current, measured.current, of: measured.devices),
            LimitReport.atMost("lapsed", lapsed, measured.lapsed),
            LimitReport.atMost("renewedAfterEnd", 0, measured.renewedAfterEnd),
        ]
        if measured.outdated > 0 {
            reports.append(.atLeast("returned", returned, measured.returned, of: measured.outdated))
        }
        if let p50 { reports.append(.atMost("p50", p50, measured.times.percentile(0.5))) }
        if let p99 { reports.append(.atMost("p99", p99, measured.times.percentile(0.99))) }
        if let peak { reports.append(.atMost("peak", peak, measured.peak)) }
        if let duration { reports.append(.atMost("duration", duration, measured.duration)) }
        return reports
    }
}

/// What limits are held against.
struct RenewalMeasures: Sendable {
    var devices = 0
    var current = 0
    var lapsed = 0
    /// Certificates that were given for ones that had ended.
    var renewedAfterEnd = 0
    /// Devices that came back after their certificate's end, and those of them that got another.
    var outdated = 0
    var returned = 0
    /// Requests in the second that had most.
    var peak = 0
    var times = LatencyHistogram()
    var duration: Duration = .zero
}
