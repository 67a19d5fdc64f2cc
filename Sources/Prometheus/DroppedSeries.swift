import CoreMetrics

/// What is handed out where a series is one too many or of another kind than its metric: it counts that a sample was
/// lost, and keeps nothing of it.
final class DroppedSeries: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    private let samples: CounterSeries

    init(samples: CounterSeries) { self.samples = samples }

    func increment(by amount: Int64) { lose() }
    func increment(by amount: Double) { lose() }
    func decrement(by amount: Double) { lose() }
    func set(_ value: Int64) { lose() }
    func set(_ value: Double) { lose() }
    func record(_ value: Int64) { lose() }
    func record(_ value: Double) { lose() }
    func recordNanoseconds(_ duration: Int64) { lose() }
    func reset() {}

    private func lose() { samples.increment(by: Int64(1)) }
}
