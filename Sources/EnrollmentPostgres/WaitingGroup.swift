import DequeModule
import Enrollment
import Logging
import ServiceLifecycle
import Synchronization

/// Requests that wait for the record, bounded, and taken in groups: whatever waits while one group is on its way goes
/// into the next. A lone request goes at once, and under load one round trip carries many.
final class WaitingGroup<Request: Sendable, Answer: Sendable>: Sendable {
    /// A class, so that a request, which may be large, is not copied from queue to group to answer.
    final class Waiting: Sendable {
        let request: Request
        let continuation: CheckedContinuation<Result<Answer, RecordError>, Never>

        init(request: Request, continuation: CheckedContinuation<Result<Answer, RecordError>, Never>) {
            self.request = request
            self.continuation = continuation
        }
    }

    private struct State {
        var waiting: Deque<Waiting> = []
        var isStopped = false
    }

    private static var stopping: RecordError { .unavailable("the server is stopping") }

    private let waitingMax: Int
    private let onFull: @Sendable () -> Void
    private let state = Mutex(State())
    private let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    /// - Parameter onFull: Told of each request that was refused because too many wait; must not wait.
    init(waitingMax: Int, onFull: @escaping @Sendable () -> Void = {}) {
        self.waitingMax = max(1, waitingMax)
        self.onFull = onFull
        (arrivals, arrived) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Waits for the answer. Refuses at once when too many wait.
    func answer(to request: Request) async throws(RecordError) -> Answer {
        let result = await withCheckedContinuation { continuation in
            let refusal: RecordError? = state.withLock { state in
                if state.isStopped { return Self.stopping }
                if state.waiting.count >= waitingMax { return .overloaded }
                state.waiting.append(Waiting(request: request, continuation: continuation))
                return nil
            }
            if let refusal {
                if case .overloaded = refusal { onFull() }
                continuation.resume(returning: .failure(refusal))
            } else {
                arrived.yield()
            }
        }
        return try result.get()
    }

    /// How many wait.
    var count: Int { state.withLock { $0.waiting.count } }

    /// Has groups answered until the task is cancelled, and then refuses what still waits.
    /// - Parameters:
    ///   - rest: How long no group begins after one.
    ///   - groupMax: There is no rest if so many wait: a group has no room for more.
    ///   - clock: Tells how long a group took, and when its rest is over.
    ///   - take: Takes the next group, of one at least, from those that wait; what it leaves waits for the next.
    ///   - perform: Answers each of a group, once.
    func run(
        rest: GroupRest,
        groupMax: Int,
        clock: some Clock<Duration> = ContinuousClock(),
        take: (inout Deque<Waiting>) -> [Waiting],
        perform: ([Waiting]) async -> Void
    ) async {
        var notBefore = clock.now
        for await _ in arrivals {
            while case let waiting = count, waiting > 0 {
                if waiting < groupMax, notBefore > clock.now {
                    try? await clock.sleep(until: notBefore, tolerance: nil)
                }
                let group = state.withLock { take(&$0.waiting) }
                let began = clock.now
                await perform(group)
                let ended = clock.now
                notBefore = ended.advanced(by: rest.duration(after: began.duration(to: ended)))
            }
        }
        let left = state.withLock { state in
            state.isStopped = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for one in left { one.continuation.resume(returning: .failure(Self.stopping)) }
    }
}

extension WaitingGroup {
    /// Has questions answered in groups of at most `groupMax`, in their order, until cancelled; then whatever still waits
    /// is refused. In a service group it comes before the fronts, so that it ends after the last request has been answered.
    /// - Parameter ask: Answers a group's questions, in their order.
    func run(
        groupMax: Int,
        rest: GroupRest = .none,
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger,
        ask: @Sendable @escaping ([Request]) async throws(RecordError) -> [Answer]
    ) async {
        await cancelWhenGracefulShutdown {
            await self.run(
                rest: rest,
                groupMax: groupMax,
                clock: clock,
                take: { $0.popFirst(groupMax) },
                perform: { await Self.answer($0, logger: logger, ask: ask) }
            )
        }
    }

    private static func answer(
        _ group: [Waiting],
        logger: Logger,
        ask: @Sendable ([Request]) async throws(RecordError) -> [Answer]
    ) async {
        do throws(RecordError) {
            let answers = try await ask(group.map(\.request))
            guard answers.count == group.count else {
                throw RecordError.broken("\(group.count) questions had \(answers.count) answers")
            }
            for (one, answer) in zip(group, answers) { one.continuation.resume(returning: .success(answer)) }
        } catch .broken(let why) where group.count > 1 {
            // One question that the record cannot answer must not take its neighbours down.
            logger.error("a group of questions failed; asking one by one", metadata: ["error": "\(why)"])
            for one in group { await answer([one], logger: logger, ask: ask) }
        } catch {
            for one in group { one.continuation.resume(returning: .failure(error)) }
        }
    }
}

extension Deque {
    /// Takes the first ones out, `countMax` of them if so many are there.
    mutating func popFirst(_ countMax: Int) -> [Element] {
        defer { removeFirst(Swift.min(countMax, count)) }
        return Array(prefix(countMax))
    }
}
