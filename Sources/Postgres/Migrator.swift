/// Brings a database's schema forward, one migration a transaction, and tells where it stands.
///
/// What was applied is kept in `schema_migrations`, with the SHA-256 of each migration's text.
package struct Migrator: Sendable {
    /// How long one migrator waits for another to finish.
    package static let lockTimeout: Duration = .seconds(120)
    /// How long one migration may take.
    package static let migrationTimeout: Duration = .seconds(3600)

    /// The advisory lock that migrators of one database share: "muster" in ASCII.
    private static let lockKey: Int64 = 0x6D75_7374_6572
    private static let table = """
        create table if not exists schema_migrations (
            number int primary key,
            name text not null,
            sha256 bytea not null,
            applied_at timestamptz not null default now()
        )
        """

    private struct Applied {
        var number: Int32
        var name: String
        var sha256: [UInt8]
    }

    /// In ascending order, each number once.
    private let migrations: [Migration]

    /// - Parameter migrations: In any order; of two with one number, the first counts.
    package init(_ migrations: [Migration]) {
        var numbers: Set<Int32> = []
        self.migrations = migrations.filter { numbers.insert($0.number).inserted }.sorted { $0.number < $1.number }
    }

    /// Where the database stands. It changes nothing.
    package func status(on connection: PostgresConnection) async throws(PostgresError) -> SchemaStatus {
        let found = try await connection.query("select to_regclass('schema_migrations') is not null")
        guard try found.first?.decode(as: Bool.self) == true else { return .empty }
        let applied = try await applied(on: connection)
        if applied.isEmpty { return migrations.isEmpty ? .current : .empty }
        let known = try await digests(on: connection)

        for step in applied {
            guard let index = migrations.firstIndex(where: { $0.number == step.number }) else {
                return .ahead(found: step.number)
            }
            if known[index] != step.sha256 { return .altered(number: step.number, name: step.name) }
        }
        let numbers = Set(applied.map(\.number))
        let pending = migrations.filter { !numbers.contains($0.number) }
        // One that was skipped cannot be applied any more, since those after it were written to follow it.
        if let last = applied.last, let skipped = pending.first, skipped.number < last.number {
            return .altered(number: skipped.number, name: skipped.name)
        }
        return pending.isEmpty ? .current : .behind(pending: pending.map(\.number))
    }

    /// Applies what is pending, in order. Of several migrators at once one works and the others wait for it.
    /// - Returns: What was applied.
    @discardableResult
    package func migrate(on connection: PostgresConnection) async throws(MigratorError) -> [Migration] {
        do throws(PostgresError) {
            try await connection.query("select pg_advisory_lock(\(Self.lockKey))", timeout: Self.lockTimeout)
        } catch {
            // The lock may have been given after all, to a call that no longer waited.
            connection.close()
            throw .database(error)
        }
        do throws(MigratorError) {
            let applied = try await applyPending(on: connection)
            await unlock(connection)
            return applied
        } catch {
            await unlock(connection)
            throw error
        }
    }

    private func applyPending(on connection: PostgresConnection) async throws(MigratorError) -> [Migration] {
        let status: SchemaStatus
        do throws(PostgresError) {
            try await connection.run(script: Self.table)
            status = try await self.status(on: connection)
        } catch {
            throw .database(error)
        }
        let pending: [Migration]
        switch status {
        case .current: return []
        case .empty: pending = migrations
        case .behind(let numbers): pending = migrations.filter { numbers.contains($0.number) }
        case .ahead, .altered: throw .refused(status)
        }
        for migration in pending { try await apply(migration, on: connection) }
        return pending
    }

    private func apply(_ migration: Migration, on connection: PostgresConnection) async throws(MigratorError) {
        do {
            try await connection.withTransaction { connection in
                try await connection.run(script: migration.sql, timeout: Self.migrationTimeout)
                guard connection.isInTransaction else {
                    throw MigratorError.endedTransaction(number: migration.number, name: migration.name)
                }
                try await connection.query(
                    """
                    insert into schema_migrations (number, name, sha256)
                    values (\(migration.number), \(migration.name), sha256(convert_to(\(migration.sql), 'UTF8')))
                    """
                )
            }
        } catch let error as MigratorError {
            throw error
        } catch let error as PostgresError {
            throw .failed(number: migration.number, name: migration.name, error)
        } catch {
            throw .failed(number: migration.number, name: migration.name, .cancelled)
        }
    }

    /// Runs though the task is cancelled; the end of a session releases the lock too.
    private func unlock(_ connection: PostgresConnection) async {
        do throws(ExchangeFailure) {
            _ = try await connection.exchange(
                .pipeline(["select pg_advisory_unlock(\(Self.lockKey))"]),
                timeout: PostgresConnection.rollbackTimeout,
                isShielded: true
            )
        } catch {
            connection.close()
        }
    }

    private func applied(on connection: PostgresConnection) async throws(PostgresError) -> [Applied] {
        let rows = try await connection.query("select number, name, sha256 from schema_migrations order by number")
        var applied: [Applied] = []
        for row in rows {
            var columns = row.columns
            applied.append(Applied(number: try columns.next(), name: try columns.next(), sha256: try columns.next()))
        }
        return applied
    }

    /// The SHA-256 of each known migration's text, by the server's own function, so that both sides count alike.
    private func digests(on connection: PostgresConnection) async throws(PostgresError) -> [[UInt8]] {
        let rows = try await connection.query(
            """
            select sha256(convert_to(text, 'UTF8'))
            from unnest(\(migrations.map(\.sql))) with ordinality as migrations (text, place)
            order by place
            """
        )
        var digests: [[UInt8]] = []
        for row in rows { digests.append(try row.decode()) }
        return digests
    }
}
