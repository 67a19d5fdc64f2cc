import CoreMetrics
import Prometheus

/// The bounds of the record and on the way to it. Whoever is refused by one of them is told to come again.
enum RecordLimit: String, CaseIterable {
    /// Too many enrollments wait for their commit.
    case commitQueue = "commit-queue"
    /// Too many enrollments wait for what the record knows of their device.
    case questionQueue = "question-queue"
    /// Too many callers wait for a connection to the database, or one waited for too long.
    case databasePool = "database-pool"
    /// A month of attempts is older than attempts are kept, and was dropped.
    case attemptsKept = "attempts-kept"

    /// Counts each time that it is reached.
    func counter(_ factory: any MetricsFactory) -> @Sendable () -> Void {
        let counter = Counter(label: MusterMetrics.limits.name, dimensions: [("limit", rawValue)], factory: factory)
        return { counter.increment() }
    }
}
