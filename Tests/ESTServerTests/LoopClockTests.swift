import FrontBounds
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@Suite
struct LoopClockTests {
    private let loop = NIOAsyncTestingEventLoop()

    @Test(.timeLimit(.minutes(1)))
    func `a sleep ends when the loop's time has come, and not before`() async throws {
        let clock = LoopClock(loop)
        let isOver = Mutex(false)
        let sleeping = Task {
            try await clock.sleep(until: clock.now + .seconds(3600), tolerance: nil)
            isOver.withLock { $0 = true }
        }
        // The loop's time stands still but for this; an hour in it is no time outside.
        var minutes = 0
        while !isOver.withLock({ $0 }) {
            await loop.advanceTime(by: .minutes(1))
            minutes += 1
            await Task.yield()
        }
        #expect(minutes >= 60)
        try await sleeping.value
    }

    @Test(.timeLimit(.minutes(1)))
    func `a cancelled sleep ends at once, and says so`() async throws {
        let clock = LoopClock(loop)
        let sleeping = Task { try await clock.sleep(until: clock.now + .seconds(3600), tolerance: nil) }
        sleeping.cancel()
        // Where the loop's time never moves.
        let moving = Task { [loop] in
            while !Task.isCancelled {
                await loop.run()
                await Task.yield()
            }
        }
        await #expect(throws: (any Error).self) { try await sleeping.value }
        moving.cancel()
        await moving.value
    }

    @Test
    func `a moment that has passed is not waited for`() async throws {
        let clock = LoopClock(loop)
        try await clock.sleep(until: clock.now - .seconds(1), tolerance: nil)
    }
}
