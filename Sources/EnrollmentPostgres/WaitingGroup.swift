import DequeModule
import Enrollment
import Synchronization

/// Requests that wait for the record, bounded, and taken in groups: whatever waits while one group is on its way goes
/// into the next. No timers: a lone request goes at once, and under load one round trip carries many.
final class WaitingGroup<Request: Sendable, Answer: Sendable>: Sendable {
    struct Waiting: Sendable {
        let request: Request
        let continuation: CheckedContinuation<Result<Answer, RecordError>, Never>
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
    ///   - take: Takes the next group from those that wait; what it leaves waits for the next.
    ///   - perform: Answers each of a group, once.
    func run(take: (inout Deque<Waiting>) -> [Waiting], perform: ([Waiting]) async -> Void) async {
        for await _ in arrivals {
            while true {
                let group = state.withLock { take(&$0.waiting) }
                if group.isEmpty { break }
                await perform(group)
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
