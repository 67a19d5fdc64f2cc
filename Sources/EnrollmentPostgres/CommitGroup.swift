import DequeModule
package import Enrollment
package import Logging
import PKI
package import Postgres
import ServiceLifecycle

/// Commits entries in groups: whatever waits while one transaction is in flight, and as long again after it, goes into
/// the next. A lone entry is committed at once, and under load one transaction carries many.
package final class CommitGroup: Service {
    package static let groupMaxDefault = 64
    package static let waitingMaxDefault = 4_096
    /// Shorter than after a group of questions: a device waits longest for its commit.
    static let rest = GroupRest(times: 1, max: .milliseconds(10))

    private typealias Waiting = WaitingGroup<EnrollmentEntry, CommitOutcome>.Waiting

    private let pool: PostgresPool
    private let groupMax: Int
    private let waiting: WaitingGroup<EnrollmentEntry, CommitOutcome>
    private let webhooks: @Sendable () -> [WebhookSubscription]
    private let onCommit: @Sendable (_ entries: Int, _ took: Duration) -> Void
    private let clock: any Clock<Duration>
    private let logger: Logger

    /// - Parameters:
    ///   - waitingMax: How many entries may wait; more are refused as overload.
    ///   - webhooks: Who is told of what was committed; asked anew for each group.
    ///   - onCommit: Told of each group that was committed; must not wait.
    ///   - onFull: Told of each entry that was refused because too many wait; must not wait either.
    ///   - clock: Ends the rests between groups.
    package init(
        pool: PostgresPool,
        groupMax: Int = CommitGroup.groupMaxDefault,
        waitingMax: Int = CommitGroup.waitingMaxDefault,
        webhooks: @escaping @Sendable () -> [WebhookSubscription] = { [] },
        onCommit: @escaping @Sendable (_ entries: Int, _ took: Duration) -> Void = { _, _ in },
        onFull: @escaping @Sendable () -> Void = {},
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger
    ) {
        self.clock = clock
        self.onCommit = onCommit
        self.webhooks = webhooks
        self.pool = pool
        self.groupMax = max(1, groupMax)
        waiting = WaitingGroup(waitingMax: waitingMax, onFull: onFull)
        self.logger = logger
    }

    /// Waits until `entry` is durable, or another one won, or the record failed. Refuses at once when too many wait.
    package func commit(_ entry: EnrollmentEntry) async throws(RecordError) -> CommitOutcome {
        try await waiting.answer(to: entry)
    }

    /// How many entries wait.
    package var waitingCount: Int { waiting.count }

    /// Commits groups until cancelled; then whatever still waits is refused. In a service group it comes before the
    /// fronts, so that it ends after the last request has been answered.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.waiting.run(
                rest: Self.rest,
                groupMax: self.groupMax,
                clock: self.clock,
                take: { self.take(from: &$0) },
                perform: { await self.commit($0) }
            )
        }
    }

    /// The next group. A device or a key stands at most once in it; whatever would be the second waits for the next.
    private func take(from waiting: inout Deque<Waiting>) -> [Waiting] {
        var group: [Waiting] = []
        var later: Deque<Waiting> = []
        var devices: Set<DeviceKey> = []
        var keys: Set<[UInt8]> = []
        while group.count < groupMax, let next = waiting.popFirst() {
            if let issuance = next.request.issuance {
                let device = DeviceKey(fleet: next.request.attempt.fleet, device: issuance.device.text)
                if devices.contains(device) || keys.contains(issuance.publicKeySHA256) {
                    later.append(next)
                    continue
                }
                devices.insert(device)
                keys.insert(issuance.publicKeySHA256)
            }
            group.append(next)
        }
        if !later.isEmpty { waiting = later + waiting }
        return group
    }

    private struct DeviceKey: Hashable {
        let fleet: FleetID
        let device: String
    }

    private func commit(_ group: [Waiting]) async {
        do {
            let began = ContinuousClock.now
            let outcomes = try await write(group.map(\.request))
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
        let writer = WebhookWriter(subscriptions: webhooks())
        return try await recording {
            try await pool.withConnection { connection in
                try await EnrollmentTransaction(entries: entries, webhooks: writer).run(on: connection)
            }
        }
    }
}
