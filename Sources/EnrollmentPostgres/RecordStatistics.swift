package import Logging
package import Postgres
import ServiceLifecycle
import Synchronization

/// Keeps PostgreSQL's statistics in step with a record that grows fast: has them refreshed at the start, and each time
/// that as many enrollments were committed here as all before.
package final class RecordStatistics: Service {
    /// After so many commits first: with fewer rows any plan is good.
    private static let first = 250
    /// PostgreSQL counts rows up to a second after their commit.
    private static let delay: Duration = .seconds(1)

    private struct Count {
        var committed = 0
        var next = RecordStatistics.first
    }

    private let pool: PostgresPool
    private let logger: Logger
    private let count = Mutex(Count())
    private let (wakeups, waker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    package init(pool: PostgresPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
    }

    /// Told of each group of entries that was committed; does not wait.
    package func committed(_ entries: Int) {
        let isDue = count.withLock { count in
            count.committed += entries
            guard count.committed >= count.next else { return false }
            count.next = 2 * count.committed
            return true
        }
        if isDue { waker.yield() }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            self.waker.yield()
            for await _ in self.wakeups {
                try? await Task.sleep(for: Self.delay)
                do {
                    _ = try await SchemaGuard.refreshStatistics(self.pool)
                } catch {
                    // At the end of the server it is broken off, and that is all.
                    if Task.isCancelled { return }
                    // Autovacuum does the same, later.
                    self.logger.warning("statistics not refreshed", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
