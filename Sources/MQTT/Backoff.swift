/// Growing pauses between attempts, each drawn at random so that a fleet does not come back in step.
struct Backoff: Sendable {
    private let min: Duration
    private let max: Duration
    private var attempts = 0

    init(min: Duration, max: Duration) {
        self.min = min
        self.max = Swift.max(min, max)
    }

    /// The next pause: between half and whole of `min` doubled each time, never above `max`.
    mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        let whole = Swift.min(min * (1 << Swift.min(attempts, Self.doublingsMax)), max)
        attempts += 1
        return whole / 2 * (1 + Double.random(in: 0...1, using: &random))
    }

    /// Goes straight to the longest pause.
    mutating func exhaust() { attempts = Self.doublingsMax }

    /// Begins again with the shortest.
    mutating func reset() { attempts = 0 }

    private static let doublingsMax = 16
}
