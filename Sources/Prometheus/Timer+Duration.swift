package import CoreMetrics

extension CoreMetrics.Timer {
    /// Records how long something took; what nanoseconds cannot count, some 292 years, as the most they can.
    package func record(duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (all, isTooLongInAll) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        recordNanoseconds(isTooLong || isTooLongInAll ? (seconds < 0 ? .min : .max) : all)
    }
}
