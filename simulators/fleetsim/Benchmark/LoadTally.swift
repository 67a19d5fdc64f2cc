/// What a measurement found.
struct LoadReport: Encodable, Sendable {
    var mode = ""
    var held = 0
    let succeeded: Int
    let failed: Int
    let seconds: Double
    let perSecond: Double
    /// The server's CPU time for each that succeeded, in milliseconds.
    let cpuMilliseconds: Double
    let cpuUserMilliseconds: Double
    let cpuSystemMilliseconds: Double
    /// The part of one core that the server took.
    let cpuShare: Double
    /// From the first packet (at a rate: from the moment when it was due) to the whole answer; of a revocation, from its
    /// answer until the list that has it is given out.
    let p50Milliseconds: Double
    let p90Milliseconds: Double
    let p99Milliseconds: Double
    let maxMilliseconds: Double
    let serverPeakBytes: Int
    /// How often each status came; "none" where there was no answer.
    let statuses: [String: Int]
    /// Of revocations alone.
    var revocation: RevocationCost.Figures?
}

/// Counts what is measured, from `begin` on: what came before is the warm-up.
struct LoadTally {
    private var began: (at: ContinuousClock.Instant, cpu: ServerProcess.Time)?
    private var latencies = LatencyHistogram()
    private var failed = 0
    private var statuses: [String: Int] = [:]

    mutating func begin(_ server: ServerProcess) throws { began = (.now, try server.time()) }

    /// - Parameters:
    ///   - status: Nil if there was no answer.
    ///   - isRight: False if the answer is another than it has to be, whatever its status.
    mutating func count(_ status: Int?, took: Duration, isRight: Bool = true) {
        guard began != nil else { return }
        statuses[status.map { "\($0)" } ?? "none", default: 0] += 1
        if status == 200, isRight {
            latencies.record(took)
        } else {
            failed += 1
        }
    }

    /// - Parameter idle: What the server spends in a second in which nothing happens, which is taken off.
    func report(_ server: ServerProcess, idle: ServerProcess.Time = .zero) throws -> LoadReport {
        let cpu = try server.time()
        guard let began else { throw SimulatorError.operation("the measurement ended before it began") }
        let seconds = max((ContinuousClock.now - began.at).milliseconds, 0.001) / 1000
        let count = Double(max(latencies.count, 1))
        let spent = cpu - began.cpu - idle * seconds
        func milliseconds(_ fraction: Double) -> Double { latencies.percentile(fraction)?.milliseconds ?? 0 }
        return LoadReport(
            succeeded: latencies.count,
            failed: failed,
            seconds: seconds,
            perSecond: count / seconds,
            cpuMilliseconds: spent.total / count,
            cpuUserMilliseconds: spent.user / count,
            cpuSystemMilliseconds: spent.system / count,
            cpuShare: spent.total / seconds / 1000,
            p50Milliseconds: milliseconds(0.5),
            p90Milliseconds: milliseconds(0.9),
            p99Milliseconds: milliseconds(0.99),
            maxMilliseconds: latencies.max.milliseconds,
            serverPeakBytes: try server.peakMemory(),
            statuses: statuses
        )
    }
}
