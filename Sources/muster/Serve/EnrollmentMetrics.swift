import CoreMetrics
import Enrollment
import FrontBounds
import Prometheus
import Synchronization

/// Counts and times what the device front does. Handles are kept, since making one costs more than using it.
final class EnrollmentMetrics: EnrollmentObserver, FrontObserver {
    private struct Key: Hashable {
        let fleet: String
        let outcome: EnrollmentOutcome
        let reason: RefusalReason?
    }

    private let factory: any MetricsFactory
    private let attempts = Mutex<[Key: Counter]>([:])
    private let parts: [EnrollmentPart: CoreMetrics.Timer]
    private let total: CoreMetrics.Timer
    private let handshakes: [HandshakeResult: Counter]
    private let limits: [FrontLimit: Counter]

    init(factory: any MetricsFactory) {
        self.factory = factory
        func timer(_ stage: String) -> CoreMetrics.Timer {
            CoreMetrics.Timer(
                label: MusterMetrics.enrollmentStage.name,
                dimensions: [("stage", stage)],
                factory: factory
            )
        }
        parts = Dictionary(uniqueKeysWithValues: EnrollmentPart.allCases.map { ($0, timer($0.rawValue)) })
        total = timer("total")
        handshakes = Dictionary(
            uniqueKeysWithValues: HandshakeResult.allCases.map { result in
                let dimensions = [("front", "est"), ("result", result.rawValue)]
                return (
                    result,
                    Counter(label: MusterMetrics.tlsHandshakes.name, dimensions: dimensions, factory: factory)
                )
            }
        )
        limits = Dictionary(
            uniqueKeysWithValues: FrontLimit.allCases.map { limit in
                let dimensions = [("limit", limit.rawValue)]
                return (limit, Counter(label: MusterMetrics.limits.name, dimensions: dimensions, factory: factory))
            }
        )
    }

    func finished(fleet: String, outcome: EnrollmentOutcome, reason: RefusalReason?, took: Duration) {
        let key = Key(fleet: fleet, outcome: outcome, reason: reason)
        let counter = attempts.withLock { counters in
            if let counter = counters[key] { return counter }
            let counter = Counter(
                label: MusterMetrics.enrollmentAttempts.name,
                dimensions: [("fleet", fleet), ("outcome", outcome.rawValue), ("reason", reason?.rawValue ?? "")],
                factory: factory
            )
            counters[key] = counter
            return counter
        }
        counter.increment()
        total.record(duration: took)
    }

    func passed(_ part: EnrollmentPart, took: Duration) { parts[part]?.record(duration: took) }

    func ended(_ result: HandshakeResult) { handshakes[result]?.increment() }

    func reached(_ limit: FrontLimit) { limits[limit]?.increment() }
}
