import DequeModule
package import Enrollment
package import Logging
import PKI
package import Postgres
import ServiceLifecycle
import Synchronization

/// Commits entries in groups: whatever waits while one transaction is in flight goes into the next. No timers: a lone
/// entry is committed at once, and under load one transaction carries many (a row a commit costs PostgreSQL some
/// 300 µs, a row among 64 some 35).
package final class CommitGroup: Service {
    package static let groupMaxDefault = 64
    package static let waitingMaxDefault = 4_096

    private struct Waiting {
        let entry: EnrollmentEntry
        let continuation: CheckedContinuation<Result<CommitOutcome, RecordError>, Never>
    }

    private struct State {
        var waiting: Deque<Waiting> = []
        var isStopped = false
    }

    private let pool: PostgresPool
    private let groupMax: Int
    private let waitingMax: Int
    private let onCommit: @Sendable (_ entries: Int, _ took: Duration) -> Void
    private let logger: Logger
    private let state = Mutex(State())
    private let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    /// - Parameter onCommit: Told of each group that was committed; must not wait.
    package init(
        pool: PostgresPool,
        groupMax: Int = CommitGroup.groupMaxDefault,
        waitingMax: Int = CommitGroup.waitingMaxDefault,
        onCommit: @escaping @Sendable (_ entries: Int, _ took: Duration) -> Void = { _, _ in },
        logger: Logger
    ) {
        self.onCommit = onCommit
        self.pool = pool
        self.groupMax = max(1, groupMax)
        self.waitingMax = max(1, waitingMax)
        self.logger = logger
        (arrivals, arrived) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Waits until `entry` is durable, or another one won, or the record failed. Refuses at once when too many wait.
    package func commit(_ entry: EnrollmentEntry) async throws(RecordError) -> CommitOutcome {
        let result = await withCheckedContinuation { continuation in
            let refusal: RecordError? = state.withLock { state in
                if state.isStopped { return .unavailable("the server is stopping") }
                if state.waiting.count >= waitingMax { return .overloaded }
                state.waiting.append(Waiting(entry: entry, continuation: continuation))
                return nil
            }
            if let refusal {
                continuation.resume(returning: .failure(refusal))
            } else {
                arrived.yield()
            }
        }
        return try result.get()
    }

    /// How many entries wait.
    package var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Commits groups until cancelled; then whatever still waits is refused. In a service group it comes before the
    /// fronts, so that it ends after the last request has been answered.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in self.arrivals {
                while true {
                    let group = self.take()
                    if group.isEmpty { break }
                    await self.commit(group)
                }
            }
        }
        let left = state.withLock { state in
            state.isStopped = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for one in left { one.continuation.resume(returning: .failure(.unavailable("the server is stopping"))) }
    }

    /// The next group. A device or a key stands at most once in it; whatever would be the second waits for the next.
    private func take() -> [Waiting] {
        state.withLock { state in
            var group: [Waiting] = []
            var later: Deque<Waiting> = []
            var devices: Set<DeviceKey> = []
            var keys: Set<[UInt8]> = []
            while group.count < groupMax, let next = state.waiting.popFirst() {
                if let issuance = next.entry.issuance {
                    let device = DeviceKey(fleet: next.entry.attempt.fleet, device: issuance.device.text)
                    if devices.contains(device) || keys.contains(issuance.publicKeySHA256) {
                        later.append(next)
                        continue
                    }
                    devices.insert(device)
                    keys.insert(issuance.publicKeySHA256)
                }
                group.append(next)
            }
            if !later.isEmpty { state.waiting = later + state.waiting }
            return group
        }
    }

    private struct DeviceKey: Hashable {
        let fleet: FleetID
        let device: String
    }

    private func commit(_ group: [Waiting]) async {
        do {
            let began = ContinuousClock.now
            let outcomes = try await write(group.map(\.entry))
            onCommit(group.count, ContinuousClock.now - began)
            for (one, outcome) in zip(group, outcomes) { one.continuation.resume(returning: .success(outcome)) }
        } catch .broken(let why) where group.count > 1 {
            // One entry that the schema refuses must not take its neighbours down.
            logger.error("a group was refused; committing one by one", metadata: ["error": "\(why)"])
            for one in group { await commit([one]) }
        } catch {
            if case .broken(let why) = error {
                logger.error("an entry was refused", metadata: ["error": "\(why)"])
            }
            for one in group { one.continuation.resume(returning: .failure(error)) }
        }
    }

    private func write(_ entries: [EnrollmentEntry]) async throws(RecordError) -> [CommitOutcome] {
        try await recording {
            try await pool.withConnection { connection in
                try await EnrollmentTransaction(entries: entries).run(on: connection)
            }
        }
    }
}
