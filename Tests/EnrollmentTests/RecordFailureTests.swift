import Enrollment
import Foundation
import PKI
import Synchronization
import TestKit
import Testing

/// Nothing leaves before it is committed, and a race is decided by the record.
struct RecordFailureTests {
    @Test(arguments: [RecordError.unavailable("no route"), .overloaded, .broken("odd")])
    func `no certificate leaves while the record does not answer, and the next try succeeds`(
        _ error: RecordError
    ) async throws {
        let bench = try Bench()
        let (idevid, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
        bench.record.fail(with: error)
        #expect(try await bench.enroll(idevid, key: key) == .unavailable(error))
        bench.record.fail(with: nil)
        bench.record.failCommits(with: error)
        #expect(try await bench.enroll(idevid, key: key) == .unavailable(error))
        #expect(bench.record.issued.isEmpty)
        bench.record.failCommits(with: nil)
        #expect(try await bench.enroll(idevid, key: key).certificate != nil)
    }

    @Test func `a refusal that cannot be recorded is not answered as one`() async throws {
        let bench = try Bench()
        bench.record.fail(with: .unavailable("no route"))
        let result = await bench.submit(.simpleEnroll, as: .anonymous, request: .success([]))
        #expect(result == .unavailable(.unavailable("no route")))
    }

    @Test func `two first enrollments at once with one key end with the same bytes`() async throws {
        let race = try Race()
        let (idevid, key) = (try race.bench.world.idevid("meter-1"), try DeviceKey.make())
        let winner = Mutex<EnrollmentResult?>(nil)
        race.interfere(times: 1) {
            let result = try? await race.bench.enroll(idevid, key: key)
            winner.withLock { $0 = result }
        }
        let loser = try await race.bench.enroll(idevid, key: key)
        #expect(loser.certificate != nil)
        #expect(loser == winner.withLock { $0 })
        #expect(race.bench.record.issued.count == 1)
    }

    @Test func `a claim that lost the race for a device is refused, decided anew`() async throws {
        let race = try Race()
        let claim = try race.bench.world.claim()
        race.interfere(times: 1) {
            _ = try? await race.bench.enroll(claim, key: .make(), subject: .init(commonName: "meter-1"))
        }
        let loser = try await race.bench.enroll(claim, key: .make(), subject: .init(commonName: "meter-1"))
        #expect(loser.reason == .deviceHasAnotherKey)
        #expect(race.bench.record.issued.count == 1)
    }

    @Test func `a device that loses every race is told to come back, after a bounded number of tries`() async throws {
        let race = try Race()
        let idevid = try race.bench.world.idevid("meter-1")
        race.interfere(times: 100) { _ = try? await race.bench.enroll(idevid, key: .make()) }
        #expect(try await race.bench.enroll(idevid, key: .make()) == .unavailable(.overloaded))
        #expect(race.bench.record.issued.count == EnrollmentService.roundsMax)
    }

    @Test func `a renewal that meets a revocation on its way to the record is refused, and nothing is issued`()
        async throws
    {
        let race = try Race()
        let held = try await race.bench.enrolled("meter-1")
        let device = try race.bench.world.names("meter-1").device
        let fleet = race.bench.world.fleet.id
        race.interfere(times: 1) {
            race.bench.record.change(device, of: fleet, .revoke(.keyCompromise, comment: nil))
        }
        #expect(try await race.bench.renew(held, key: .make()).reason == .certificateRevoked)
        #expect(race.bench.record.issued.count == 1)
    }
}

/// A bench whose record lets another enrollment come first.
private struct Race {
    private final class Interference: Sendable {
        let pending = Mutex<(times: Int, body: @Sendable () async -> Void)>((0, {}))
        let isInside = Atomic<Bool>(false)

        func run() async {
            // What the interference itself commits is not interfered with.
            guard !isInside.load(ordering: .sequentiallyConsistent) else { return }
            let body: (@Sendable () async -> Void)? = pending.withLock { pending in
                guard pending.times > 0 else { return nil }
                pending.times -= 1
                return pending.body
            }
            guard let body else { return }
            isInside.store(true, ordering: .sequentiallyConsistent)
            await body()
            isInside.store(false, ordering: .sequentiallyConsistent)
        }
    }

    let bench: Bench
    private let interference: Interference

    init() throws {
        let interference = Interference()
        self.interference = interference
        bench = try Bench(record: InMemoryEnrollmentRecord(beforeCommit: { _ in await interference.run() }))
    }

    func interfere(times: Int, _ body: @escaping @Sendable () async -> Void) {
        interference.pending.withLock { $0 = (times, body) }
    }
}
