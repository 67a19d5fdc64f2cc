import Logging
import Postgres
import Testing

extension ThrowawayCluster {
    func connect(callTimeout: Duration = .seconds(50)) async throws -> PostgresConnection {
        try await PostgresConnection.connect(
            PostgresConfiguration(
                connectionString: socketConnectionString,
                connectTimeout: .seconds(30),
                callTimeout: callTimeout
            )
        )
    }

    func pool(
        connectionsMax: Int = 4,
        waitingMax: Int = 64,
        acquireTimeout: Duration = .seconds(50),
        callTimeout: Duration = .seconds(50)
    ) -> PostgresPool {
        let connection = PostgresConfiguration(
            connectionString: socketConnectionString,
            connectTimeout: .seconds(30),
            callTimeout: callTimeout
        )
        return PostgresPool(
            PostgresPool.Configuration(
                connection: connection,
                connectionsMax: connectionsMax,
                waitingMax: waitingMax,
                acquireTimeout: acquireTimeout
            ),
            logger: .quiet
        )
    }
}

extension Logger {
    static var quiet: Logger { Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }) }
}

extension PostgresError {
    var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
    var isTimedOut: Bool { if case .timedOut = self { true } else { false } }
    var isCancelled: Bool { if case .cancelled = self { true } else { false } }
    var isCommitOutcomeUnknown: Bool { if case .commitOutcomeUnknown = self { true } else { false } }
    var refusal: Refusal? { if case .server(let refusal) = self { refusal } else { nil } }
}

/// Runs `body` and gives the error that it must throw.
func postgresError(
    _ body: () async throws -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws -> PostgresError {
    let error = await #expect(throws: PostgresError.self, sourceLocation: sourceLocation) { try await body() }
    return try #require(error, sourceLocation: sourceLocation)
}

/// Asks again until `condition` holds; gives up, as a failure, after `timeout`.
func eventually(
    within timeout: Duration = .seconds(60),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    while ContinuousClock.now < deadline {
        if await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("the condition did not come true within \(timeout)", sourceLocation: sourceLocation)
}
