import CoreMetrics
import ESTServer
import Enrollment
import EnrollmentPostgres
import Foundation
import Logging
import Postgres
import Prometheus
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

/// Keeps the OCSP responders' certificates good.
struct OCSPUpkeep: Service {
    let service: OCSPService

    func run() async throws {
        await cancelWhenGracefulShutdown { await service.run() }
    }
}

/// Makes the partitions of the months to come before they are needed, and throws away what the record needs no more.
struct RecordKeeper: Service {
    private static let interval: Duration = .seconds(600)

    let pool: PostgresPool
    let attemptsKeptMonths: Int
    /// Called for each month of attempts that was dropped.
    let onDropped: @Sendable () -> Void
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await keep()
                } catch {
                    logger.error("the record was not kept", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func keep() async throws {
        _ = try await SchemaGuard.makeAttemptPartitions(pool)
        _ = try await RecordUpkeep(pool: pool).removeStale(at: Date())
        let dropped = try await SchemaGuard.dropAttempts(pool, keptMonths: attemptsKeptMonths)
        guard dropped > 0 else { return }
        for _ in 0..<dropped { onDropped() }
        logger.notice(
            "old attempts dropped",
            metadata: ["months": "\(dropped)", "kept": "\(attemptsKeptMonths) months and the present one"]
        )
    }
}

/// What is read now and then to be watched: the outbox, the pool, certificates that end soon.
struct GaugeReader: Service {
    private static let interval: Duration = .seconds(15)
    /// A certificate that ends within so many days is near its end.
    private static let expiringDays = 30

    let pool: PostgresPool
    let outbox: PostgresOutbox
    let webhooks: PostgresWebhookQueue
    let roster: WebhookRoster
    let commits: CommitGroup
    let crls: PublishedCRLs
    let ocsp: OCSPService
    let factory: any MetricsFactory

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await read()
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// What cannot be read keeps its last value.
    func read() async {
        do {
            set(MusterMetrics.outboxOldest.name, [], try await outbox.oldestWaitingSeconds() ?? 0)
        } catch {
            // The database's absence is told by readiness.
        }
        if !roster.namesSinceStart.isEmpty, let standings = try? await webhooks.standings() {
            let (names, known) = (roster.names, roster.namesSinceStart)
            // Of one that is told no more, nothing is late.
            for standing in standings where known.contains(standing.webhook) {
                let seconds = names.contains(standing.webhook) ? standing.oldestSeconds ?? 0 : 0
                set(MusterMetrics.webhookOldest.name, [("webhook", standing.webhook)], seconds)
            }
        }
        if let counts = try? await RecordGauges(pool: pool).agents(at: Date()) {
            for (fleet, count) in counts {
                set(MusterMetrics.agents.name, [("fleet", fleet)], Double(count.all))
                set(MusterMetrics.agentsBehind.name, [("fleet", fleet)], Double(count.behind))
            }
        }
        let days = Self.expiringDays
        if let counts = try? await RecordGauges(pool: pool).expiring(withinDays: days, at: Date()) {
            for (fleet, count) in counts {
                set(
                    MusterMetrics.certificatesExpiring.name,
                    [("fleet", fleet), ("within", "\(days)d")],
                    Double(count)
                )
            }
        }
    }

    /// What costs nothing is read at each scrape.
    func readHere() {
        let statistics = pool.statistics
        set(MusterMetrics.databaseConnections.name, [("state", "busy")], Double(statistics.inUse))
        set(MusterMetrics.databaseConnections.name, [("state", "idle")], Double(statistics.idle))
        set(MusterMetrics.databaseWaiting.name, [], Double(statistics.waiting))
        set(MusterMetrics.commitQueue.name, [], Double(commits.waitingCount))
        for summary in crls.summaries {
            let issuer = [("issuer", summary.issuer)]
            set(MusterMetrics.crlEnds.name, issuer, summary.nextUpdate.timeIntervalSinceNow)
            set(MusterMetrics.crlAge.name, issuer, max(0, -summary.thisUpdate.timeIntervalSinceNow))
            set(MusterMetrics.crlSize.name, issuer, Double(summary.octetsMax))
        }
        for (issuer, end) in ocsp.responderEnds {
            set(MusterMetrics.ocspResponderEnds.name, [("issuer", issuer)], max(0, end?.timeIntervalSinceNow ?? 0))
        }
    }

    private func set(_ label: String, _ dimensions: [(String, String)], _ value: Double) {
        Meter(label: label, dimensions: dimensions, factory: factory).set(value)
    }
}

/// Reloads at SIGHUP. What cannot be reloaded stays as it was, and the log says why.
struct ReloadOnHangup: Service {
    let reload: @Sendable () async throws -> Void
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                do {
                    try await reload()
                    logger.notice("reloaded")
                } catch {
                    logger.error("not reloaded; all stays as it was", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}
