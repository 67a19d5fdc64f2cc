import CoreMetrics
import Synchronization

/// A number that only rises.
final class CounterSeries: MetricSeries, CounterHandler, FloatingPointCounterHandler {
    let key: SeriesKey
    /// Whole steps: an atomic, since this is what the enrollment path counts with.
    private let whole = Atomic<UInt64>(0)
    /// What was added in fractions.
    private let fraction = Mutex<Double>(0)

    init(key: SeriesKey) { self.key = key }

    /// A step back is ignored: it would look like a restart of the process.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        whole.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    func increment(by amount: Double) {
        guard amount.isFinite, amount > 0 else { return }
        fraction.withLock { $0 += amount }
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.withLock { $0 = 0 }
    }

    func write(into text: inout ExpositionText) {
        let whole = whole.load(ordering: .relaxed)
        let fraction = fraction.withLock { $0 }
        let value = fraction == 0 ? "\(whole)" : ExpositionText.number(Double(whole) + fraction)
        text.sample(key.metric, labels: key.labels, value: value)
    }
}
