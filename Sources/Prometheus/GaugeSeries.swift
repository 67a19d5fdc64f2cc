import CoreMetrics
import Synchronization

/// A number that rises and falls.
final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler {
    let key: SeriesKey
    private let value = Mutex<Double>(0)

    init(key: SeriesKey) { self.key = key }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { self.value.withLock { $0 = value } }

    func increment(by amount: Double) { value.withLock { $0 += amount } }

    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    func record(_ value: Int64) { set(Double(value)) }

    func record(_ value: Double) { set(value) }

    func write(into text: inout ExpositionText) {
        text.sample(key.metric, labels: key.labels, value: ExpositionText.number(value.withLock { $0 }))
    }
}
