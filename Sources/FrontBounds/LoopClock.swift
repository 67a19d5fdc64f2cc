package import NIOCore

/// The clock of an event loop: who sleeps by it is woken by the loop itself, once it gets to that. The system's clocks
/// wake two threads on the way.
package struct LoopClock: Clock {
    private let loop: any EventLoop

    package init(_ loop: any EventLoop) { self.loop = loop }

    package var now: ContinuousClock.Instant { .now }
    package var minimumResolution: Duration { ContinuousClock().minimumResolution }

    /// - Throws: If the task is cancelled, at once.
    package func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        let pause = now.duration(to: deadline)
        guard pause > .zero else { return try Task.checkCancellation() }
        let end = loop.scheduleTask(in: TimeAmount(pause)) {}
        try await withTaskCancellationHandler {
            try await end.futureResult.get()
        } onCancel: {
            end.cancel()
        }
    }
}
