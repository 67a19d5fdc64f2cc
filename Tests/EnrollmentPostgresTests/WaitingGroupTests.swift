import Enrollment
import Synchronization
import Testing

@testable import EnrollmentPostgres

/// Who waits for the record, and for how long, by a clock that the test moves.
@Suite(.timeLimit(.minutes(1))) final class WaitingGroupTests: Sendable {
    private static let groupMax = 3
    private static let took = Duration.milliseconds(4)
    private static let asLongAgain = GroupRest(times: 1, max: .milliseconds(10))

    private let clock = ManualClock()
    private let group = WaitingGroup<Int, Int>(waitingMax: 10)
    private let groups = Mutex<[[Int]]>([])

    /// Answers groups, each of which takes `took`, while `body` runs.
    private func whileAnswering(
        rest: GroupRest,
        during: @escaping @Sendable ([Int]) async -> Void = { _ in },
        _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [group, clock, self] in
                await group.run(
                    rest: rest,
                    groupMax: Self.groupMax,
                    clock: clock,
                    take: { $0.popFirst(Self.groupMax) },
                    perform: { taken in
                        let requests = taken.map(\.request)
                        await during(requests)
                        clock.advance(by: Self.took)
                        self.groups.withLock { $0.append(requests.sorted()) }
                        for one in taken { one.continuation.resume(returning: .success(one.request)) }
                    }
                )
            }
            try await body()
            tasks.cancelAll()
        }
    }

    private func waiting(_ count: Int) async {
        while group.count < count { await Task.yield() }
    }

    @Test func `after a group the next begins when as long again is over, with all who came meanwhile`() async throws {
        try await whileAnswering(rest: Self.asLongAgain) {
            _ = try await group.answer(to: 1)
            async let two = group.answer(to: 2)
            #expect(await clock.someoneSleeps() == Self.took)
            async let three = group.answer(to: 3)
            await waiting(2)
            clock.advance(by: Self.took - .milliseconds(1))
            #expect(groups.withLock { $0 } == [[1]])
            clock.advance(by: .milliseconds(1))
            _ = try await (two, three)
            #expect(groups.withLock { $0 } == [[1], [2, 3]])
        }
    }

    @Test func `a rest may be several times as long as the group was`() async throws {
        try await whileAnswering(rest: GroupRest(times: 2, max: .milliseconds(10))) {
            _ = try await group.answer(to: 1)
            async let two = group.answer(to: 2)
            #expect(await clock.someoneSleeps() == Self.took * 2)
            clock.advance(by: Self.took * 2)
            #expect(try await two == 2)
        }
    }

    @Test func `no rest is longer than its bound`() async throws {
        try await whileAnswering(rest: GroupRest(times: 1, max: .milliseconds(1))) {
            _ = try await group.answer(to: 1)
            async let two = group.answer(to: 2)
            #expect(await clock.someoneSleeps() == .milliseconds(1))
            clock.advance(by: .milliseconds(1))
            #expect(try await two == 2)
        }
    }

    @Test func `whoever comes after a quiet moment does not wait`() async throws {
        try await whileAnswering(rest: Self.asLongAgain) {
            _ = try await group.answer(to: 1)
            await clock.isReadAgain()
            clock.advance(by: Self.took)
            #expect(try await group.answer(to: 2) == 2)
            #expect(clock.sleptCount == 0)
        }
    }

    @Test func `a group that has no room for more does not rest`() async throws {
        let group = group
        try await whileAnswering(rest: Self.asLongAgain) { requests in
            guard requests == [1] else { return }
            for request in 2...4 { Task { try await group.answer(to: request) } }
            while group.count < Self.groupMax { await Task.yield() }
        } _: {
            _ = try await group.answer(to: 1)
            while groups.withLock({ $0.count }) < 2 { await Task.yield() }
            #expect(groups.withLock { $0 } == [[1], [2, 3, 4]])
        }
    }
}

/// A clock that stands still until it is moved.
private final class ManualClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration

        func advanced(by duration: Duration) -> Self { Self(offset: offset + duration) }
        func duration(to other: Self) -> Duration { other.offset - offset }
        static func < (left: Self, right: Self) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: (until: Instant, continuation: CheckedContinuation<Void, Never>)] = [:]
        var sleptCount = 0
        var isReadSinceMoved = false
    }

    private let state = Mutex(State())

    /// How often someone went to sleep.
    var sleptCount: Int { state.withLock { $0.sleptCount } }
    var now: Instant {
        state.withLock { state in
            state.isReadSinceMoved = true
            return state.now
        }
    }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.sleptCount += 1
            return state.sleptCount
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard deadline > state.now, !Task.isCancelled else { return true }
                    state.sleepers[id] = (deadline, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation.resume()
        }
    }

    func advance(by duration: Duration) {
        let woken = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            state.isReadSinceMoved = false
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume() }
    }

    /// Waits until someone knows how late it is since the clock was moved.
    func isReadAgain() async {
        while state.withLock({ !$0.isReadSinceMoved }) { await Task.yield() }
    }

    /// Waits until someone sleeps, and tells for how long.
    func someoneSleeps() async -> Duration {
        while true {
            let (now, until) = state.withLock { ($0.now, $0.sleepers.values.map(\.until).min()) }
            if let until { return now.duration(to: until) }
            await Task.yield()
        }
    }
}
