package import Enrollment
package import Foundation
package import Logging
package import PKI
package import Postgres
import ServiceLifecycle

/// What is told of CRLs as they are signed.
package struct CRLEvent: Sendable {
    package let issuerName: String
    /// How many lists were signed in one transaction.
    package let lists: Int
    /// True if it was the list of all of the issuer's certificates.
    package let isComplete: Bool
    /// For each change that is now in a list: how long it waited for that, in seconds.
    package let waited: [Double]
}

/// Signs the CRLs of the issuers whose keys this server has: those that a revocation changed at once, all of them well
/// before they end. Of several servers one signs an issuer's shards and one its list of all, which is whichever holds the
/// advisory lock for that; when its session ends, another takes over within `tick`.
package struct CRLPublisher: Service {
    /// How often it looks for what no notice told: another server's end, and lists that are due.
    package static let tick: Duration = .seconds(1)

    /// A session that is cut off or stands still loses its locks soon: PostgreSQL would hold them for hours. The clock of
    /// idle sessions stands still within a transaction, where a large list may take its time.
    private static let sessionSettings: [PostgresQuery] = [
        "set tcp_keepalives_idle = 2", "set tcp_keepalives_interval = 1", "set tcp_keepalives_count = 3",
        "set idle_session_timeout = '5s'", "set idle_in_transaction_session_timeout = '120s'",
    ]

    /// How lists are signed.
    package struct Configuration: Sendable {
        /// From thisUpdate to nextUpdate; lists are signed anew after half of it.
        package let lifetime: Duration
        /// How the public front is reached; nil if that is not known.
        package let publicURL: String?

        package init(lifetime: Duration, publicURL: String?) {
            self.lifetime = lifetime
            self.publicURL = publicURL
        }
    }

    private let database: PostgresConfiguration
    private let changes: RecordChanges
    private let issuers: [Issuer]
    private let configuration: Configuration
    private let directory: FleetDirectory
    private let onSigned: @Sendable (CRLEvent) -> Void
    private let now: @Sendable () -> Date
    private let logger: Logger

    /// - Parameters:
    ///   - database: For two connections of its own, which hold the locks.
    ///   - issuers: Those whose keys this server has.
    ///   - directory: The fleets, whose profiles say what URLs certificates name.
    ///   - now: The clock.
    package init(
        database: PostgresConfiguration,
        changes: RecordChanges,
        issuers: [Issuer],
        configuration: Configuration,
        directory: FleetDirectory,
        onSigned: @escaping @Sendable (CRLEvent) -> Void = { _ in },
        now: @escaping @Sendable () -> Date = { Date() },
        logger: Logger
    ) {
        self.database = database
        self.changes = changes
        self.issuers = issuers
        self.configuration = configuration
        self.directory = directory
        self.onSigned = onSigned
        self.now = now
        self.logger = logger
    }

    package func run() async throws {
        for issuer in issuers where !issuer.signsCRLs {
            logger.error(
                "no CRLs of this issuer: its certificate lacks cRLSign or a subject key identifier",
                metadata: ["issuer": "\(issuer.name)"]
            )
        }
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.serve(.shards) }
                // On a thread of its own: what it composes at once may take longer than a request can wait.
                group.addTask(executorPreference: QueueExecutor(label: "crl-complete")) { await self.serve(.complete) }
            }
        }
    }

    /// Signs a part of the lists until the task is cancelled.
    private func serve(_ part: CRLPart) async {
        while !Task.isCancelled {
            do {
                let connection = try await PostgresConnection.connect(database)
                defer { connection.close() }
                try await serve(part, on: connection)
            } catch is CancellationError {
                break
            } catch {
                logger.warning("CRLs are not signed; tried again", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.tick)
        }
    }

    /// Signs what is due at each wake-up, until something fails.
    private func serve(_ part: CRLPart, on connection: PostgresConnection) async throws {
        try await connection.pipeline(Self.sessionSettings)
        let (wakeups, waker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        var term = CRLTerm(
            part: part,
            connection: connection,
            issuers: issuers.filter(\.signsCRLs),
            configuration: configuration,
            onSigned: onSigned,
            clock: now,
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { for await _ in changes.stream(.revocations) { waker.yield() } }
            group.addTask {
                while !Task.isCancelled {
                    waker.yield()
                    try await Task.sleep(for: Self.tick)
                }
            }
            for await _ in wakeups {
                guard let due = try await term.round(urls: urls), due < .now + Self.tick else { continue }
                try await Task.sleep(until: due, clock: .continuous)
                waker.yield()
            }
        }
    }

    /// The URLs that certificates of fleets served here name now, by issuer.
    private var urls: [(IssuerID, String)] {
        directory.snapshot.fleets.values.flatMap { fleet in
            fleet.profile.crlURLs.filter(CRLShards.isSharded).map { url in
                (fleet.record.issuerID, url.replacing("{issuer}", with: fleet.issuer.name))
            }
        }
    }
}
