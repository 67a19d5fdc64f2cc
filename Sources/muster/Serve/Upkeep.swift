import ESTServer
import Enrollment
import EnrollmentPostgres
import Logging
import Postgres
import ServiceLifecycle
import UnixSignals

/// Keeps fleets and the anchors that TLS announces as the record has them.
struct FleetWatch: Service {
    let loader: FleetLoader
    let tls: DeviceTLS
    let directory: FleetDirectory
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            try? await loader.run {
                do { try tls.reload(directory: directory) } catch {
                    logger.error("anchors not announced in TLS", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}

/// Makes the partitions of the months to come before they are needed.
struct PartitionKeeper: Service {
    private static let interval: Duration = .seconds(12 * 3_600)

    let pool: PostgresPool
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                if Task.isCancelled { return }
                do { _ = try await SchemaGuard.makeAttemptPartitions(pool) } catch {
                    logger.error("partitions of attempts not made", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}

/// Reloads at SIGHUP. What cannot be reloaded stays as it was, and the log says why.
struct ReloadOnHangup: Service {
    let reload: @Sendable () throws -> Void
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                do {
                    try reload()
                    logger.notice("reloaded")
                } catch {
                    logger.error("not reloaded; all stays as it was", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
