import CoreMetrics
import Synchronization

/// Values counted by size.
final class HistogramSeries: MetricSeries, RecorderHandler, TimerHandler {
    /// Kept under one lock, so that count, sum and buckets of one scrape belong together.
    private struct State {
        /// A count for each bound, and one for what is above the last; not yet summed up.
        var counts: [UInt64]
        var sum: Double = 0
    }

    static let nanosecondsInSecond = 1_000_000_000.0

    let key: SeriesKey
    private let buckets: [Double]
    private let state: Mutex<State>

    /// - Parameter buckets: Upper bounds, rising.
    init(key: SeriesKey, buckets: [Double]) {
        self.key = key
        self.buckets = buckets
        state = Mutex(State(counts: Array(repeating: 0, count: buckets.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// What is not finite is ignored: the sum would never be a number again.
    func record(_ value: Double) {
        guard value.isFinite else { return }
        let index = buckets.firstIndex { value <= $0 } ?? buckets.count
        state.withLock { state in
            state.counts[index] += 1
            state.sum += value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / Self.nanosecondsInSecond) }

    func write(into text: inout ExpositionText) {
        // A fresh array, so that the next recording finds its own unshared and need not copy it.
        let (counts, sum) = state.withLock { state in (state.counts.map(\.self), state.sum) }
        let before = key.labels.isEmpty ? "" : key.labels + ","
        var total: UInt64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < buckets.count ? buckets[index] : .infinity
            let labels = before + "le=\"\(ExpositionText.number(bound))\""
            text.sample(key.metric + "_bucket", labels: labels, value: "\(total)")
        }
        text.sample(key.metric + "_sum", labels: key.labels, value: ExpositionText.number(sum))
        text.sample(key.metric + "_count", labels: key.labels, value: "\(total)")
    }
}
