extension PostgresConnection {
    /// How often statements are sent whose plan the schema outgrew: they did nothing, and are prepared anew once.
    private static let attemptsMax = 2

    /// Runs one statement.
    /// - Parameter timeout: How long it may take; nil is the configured default.
    @discardableResult
    package func query(
        _ query: PostgresQuery,
        timeout: Duration? = nil
    ) async throws(PostgresError) -> PostgresRows {
        let results = try await pipeline([query], timeout: timeout)
        guard let rows = results.first else { throw .unavailable("the server gave no result") }
        return rows
    }

    /// Sends all statements at once and reads all results: one round trip.
    ///
    /// The first statement that fails aborts those after it; `Refusal.statement` says which. Statements outside an
    /// explicit transaction form one implicit transaction, so either all of them took effect or none. If a pipeline
    /// that began a transaction fails, the transaction is rolled back before this throws.
    ///
    /// A pipeline with a COMMIT in it is not cut short by cancellation.
    /// - Throws: `commitOutcomeUnknown` if a COMMIT was on the wire when the connection was lost or the deadline passed.
    @discardableResult
    package func pipeline(
        _ queries: [PostgresQuery],
        timeout: Duration? = nil
    ) async throws(PostgresError) -> [PostgresRows] {
        guard !queries.isEmpty else { return [] }
        let wasInTransaction = isInTransaction
        let commits = queries.contains(where: \.isCommit)
        if commits, Task.isCancelled { throw .cancelled }
        for attempt in 0..<Self.attemptsMax {
            do {
                let results = try await exchange(.pipeline(queries), timeout: timeout, isShielded: commits)
                if commits { try Self.checkCommitted(queries, results) }
                return results
            } catch {
                if error.wasSent, !wasInTransaction { await restore() }
                if attempt + 1 < Self.attemptsMax, !wasInTransaction, case .server(let refusal) = error.error,
                    refusal.isStalePlan
                {
                    continue
                }
                throw commits ? error.atCommit : error.error
            }
        }
        throw .unavailable("the server gave no result")
    }

    /// Runs SQL of any number of statements and no values, by the simple protocol; for migrations. Statements outside
    /// an explicit transaction form one implicit transaction.
    package func run(script: String, timeout: Duration? = nil) async throws(PostgresError) {
        let wasInTransaction = isInTransaction
        do {
            _ = try await exchange(.simple(script), timeout: timeout)
        } catch {
            if error.wasSent, !wasInTransaction { await restore() }
            throw error.error
        }
    }

    /// Runs `body` between BEGIN and COMMIT. If it throws, or its task is cancelled, the transaction is rolled back.
    /// - Throws: What `body` throws; `commitOutcomeUnknown` if the connection was lost or late at COMMIT.
    @discardableResult
    package func withTransaction<Value>(
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        if isInTransaction { throw PostgresError.invalidQuery("a transaction is open already, and they do not nest") }
        try await query("BEGIN")
        let value: Value
        do {
            value = try await body(self)
            try Task.checkCancellation()
        } catch {
            await restore()
            throw error
        }
        try await commit()
        return value
    }

    /// Brings the session back to no transaction and nothing on the wire, though the task is cancelled; a session that
    /// cannot be brought back is closed.
    func restore() async {
        if isSettled || isClosed { return }
        _ = try? await exchange(.pipeline(["ROLLBACK"]), timeout: Self.rollbackTimeout, isShielded: true)
        if !isSettled { close() }
    }

    private func commit() async throws(PostgresError) {
        do {
            // From here on the outcome is the server's, so cancellation comes too late.
            let results = try await exchange(.pipeline(["COMMIT"]), timeout: nil, isShielded: true)
            try Self.checkCommitted(["COMMIT"], results)
        } catch {
            await restore()
            throw error.atCommit
        }
    }

    /// COMMIT of a failed transaction succeeds, as a rollback.
    private static func checkCommitted(
        _ queries: [PostgresQuery],
        _ results: [PostgresRows]
    ) throws(ExchangeFailure) {
        guard zip(queries, results).contains(where: { $0.isCommit && $1.commandTag == "ROLLBACK" }) else { return }
        let refusal = PostgresError.Refusal(
            sqlState: "25P02",
            message: "the transaction was rolled back, since a statement in it had failed"
        )
        throw ExchangeFailure(error: .server(refusal), wasSent: true)
    }
}

extension ExchangeFailure {
    /// The error of a call that carried COMMIT.
    fileprivate var atCommit: PostgresError {
        guard wasSent else { return error }
        switch error {
        case .unavailable(let reason): return .commitOutcomeUnknown(reason)
        case .timedOut, .cancelled: return .commitOutcomeUnknown("the server did not answer in time")
        case .server, .decoding, .commitOutcomeUnknown, .invalidQuery: return error
        }
    }
}

extension PostgresQuery {
    /// True for a COMMIT statement, in any case of letters.
    fileprivate var isCommit: Bool {
        bindings.count == 0 && sql.utf8.count <= 32 && sql.prefix(6).lowercased() == "commit"
    }
}
