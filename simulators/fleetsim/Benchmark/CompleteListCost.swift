import NIOCore
import PKI

/// What becomes of the list of all of an issuer's certificates after a revocation, and what a revocation costs with it.
struct CompleteListCost: Encodable, Sendable {
    /// How many devices it revokes.
    static let devices = 5
    /// How much longer than the server leaves the list of all a pause is: a list takes longer at one time than at another.
    private static let pauseFactor = 1.5
    private static let pauseMin: Duration = .seconds(1)

    /// Certificates that were revoked before.
    let revoked: Int
    let shards: Int
    /// Octets of the list of all.
    let octets: Int
    /// Of a lone revocation, from its answer until the list of all that has it is given out.
    let loneSeconds: Double
    /// The same until its shard is.
    let loneShardMilliseconds: Double
    /// All of the server's CPU time for it.
    let loneCPUMilliseconds: Double
    /// From the answer until the list of all is given out, asked for right after it had been signed.
    let againSeconds: Double
    /// From the answer until the shard is given out, asked for while the list of all is being signed.
    let behindMilliseconds: Double
    /// How long it takes to fetch the list of all.
    let fetchMilliseconds: Double
    /// Since the server began.
    let serverPeakBytes: Int

    static func measure(
        _ devices: [BenchRecord.Revocable],
        in scene: RevocationScene
    ) async throws -> CompleteListCost {
        guard devices.count == Self.devices else {
            throw SimulatorError.operation("\(Self.devices) devices are needed")
        }
        let lists = try await scene.lists(of: devices[0].issuer)
        // Whenever it was signed before: now it was just signed.
        _ = try await complete(devices[0], in: scene)
        let again = try await complete(devices[1], in: scene)
        // The server leaves it for as long as it took, many times over; `again` is that and one time more.
        let pause = max(again.seen - again.answered, pauseMin) * pauseFactor
        try await Task.sleep(for: pause)

        let idle = try await scene.settled(devices[0].issuer)
        let asking = try await scene.connectOperator()
        let looking = try await scene.connectPublic()
        let (began, before) = (ContinuousClock.now, try scene.server.time())
        let lone = try await scene.revoke(devices[2], over: asking)
        let shardSeen = try await scene.listed(devices[2], over: looking)
        let completeSeen = try await scene.listedInComplete(devices[2])
        let spent = try scene.server.time() - before - idle * ((ContinuousClock.now - began).milliseconds / 1000)
        await asking.close()
        await looking.close()
        try await Task.sleep(for: pause)

        let behind = try await behind(devices[3], devices[4], in: scene)
        let fetchBegan = ContinuousClock.now
        let octets = try await scene.fetch(devices[2], shard: CRLShards.complete).count
        return CompleteListCost(
            revoked: lists.revoked,
            shards: lists.shards,
            octets: octets,
            loneSeconds: (completeSeen - lone.answered).milliseconds / 1000,
            loneShardMilliseconds: (shardSeen - lone.answered).milliseconds,
            loneCPUMilliseconds: spent.total,
            againSeconds: (again.seen - again.answered).milliseconds / 1000,
            behindMilliseconds: behind.milliseconds,
            fetchMilliseconds: (ContinuousClock.now - fetchBegan).milliseconds,
            serverPeakBytes: try scene.server.peakMemory()
        )
    }

    /// Revokes a device, and waits until the list of all has it.
    private static func complete(
        _ device: BenchRecord.Revocable,
        in scene: RevocationScene
    ) async throws -> (answered: ContinuousClock.Instant, seen: ContinuousClock.Instant) {
        let connection = try await scene.connectOperator()
        let answered = try await scene.revoke(device, over: connection).answered
        await connection.close()
        return (answered, try await scene.listedInComplete(device))
    }

    /// Revokes one device, and the other as soon as the first one's shard is given out: the server is at the list of all.
    private static func behind(
        _ first: BenchRecord.Revocable,
        _ second: BenchRecord.Revocable,
        in scene: RevocationScene
    ) async throws -> Duration {
        let asking = try await scene.connectOperator()
        let looking = try await scene.connectPublic()
        _ = try await scene.revoke(first, over: asking)
        _ = try await scene.listed(first, over: looking)
        let answered = try await scene.revoke(second, over: asking).answered
        let seen = try await scene.listed(second, over: looking)
        await asking.close()
        await looking.close()
        return seen - answered
    }
}
