import NIOCore

/// What one revocation costs the server, of many that come one after the other with a pause between: the commit, the
/// shard that is signed anew, and all who are told.
enum RevocationCost {
    /// Beside what a load has.
    struct Figures: Encodable, Sendable {
        /// Certificates that were revoked before.
        let revoked: Int
        let shards: Int
        /// Octets of the list in which the last device stands.
        let shardOctets: Int
        /// How often the list of all was signed meanwhile, which is in the CPU time then. Where it is large this is 0:
        /// the server leaves it for a while, and `CompleteListCost` has what it costs.
        let completeSigned: Int64
        /// From the operator's request to its answer.
        let answerP50Milliseconds: Double
        let answerP99Milliseconds: Double
    }

    /// Time in which a small list of all is signed, too, so that no revocation waits for what the one before left.
    private static let pause: Duration = .milliseconds(100)

    /// - Parameter devices: The first is revoked before, and does not count.
    static func measure(_ devices: [BenchRecord.Revocable], in scene: RevocationScene) async throws -> LoadReport {
        guard let first = devices.first, let last = devices.last, devices.count > 1 else {
            throw SimulatorError.operation("two devices are needed")
        }
        let revoked = try await scene.lists(of: first.issuer).revoked
        let warmup = try await scene.connectOperator()
        _ = try await scene.revoke(first, over: warmup)
        await warmup.close()
        // From here on the list of all, where it is large, is not due for a while.
        let idle = try await scene.settled(first.issuer)
        let asking = try await scene.connectOperator()
        let looking = try await scene.connectPublic()
        let before = try await scene.lists(of: first.issuer)
        var answers = LatencyHistogram()
        var tally = LoadTally()
        try tally.begin(scene.server)
        for device in devices.dropFirst() {
            let (asked, answered) = try await scene.revoke(device, over: asking)
            answers.record(answered - asked)
            tally.count(200, took: try await scene.listed(device, over: looking) - answered)
            try await Task.sleep(for: pause)
        }
        var report = try tally.report(scene.server, idle: idle)
        let after = try await scene.lists(of: first.issuer)
        report.revocation = Figures(
            revoked: revoked,
            shards: after.shards,
            shardOctets: try await scene.fetch(last, shard: last.shard).count,
            completeSigned: after.completeNumber - before.completeNumber,
            answerP50Milliseconds: answers.percentile(0.5)?.milliseconds ?? 0,
            answerP99Milliseconds: answers.percentile(0.99)?.milliseconds ?? 0
        )
        await asking.close()
        await looking.close()
        return report
    }
}
