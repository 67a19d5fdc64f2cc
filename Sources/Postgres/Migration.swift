/// One step of the schema, applied once and never changed afterwards.
package struct Migration: Hashable, Sendable {
    /// Its place in the order, from 1.
    package var number: Int32
    /// What it does, in a few words.
    package var name: String
    /// The statements, any number of them, without BEGIN and COMMIT.
    package var sql: String

    package init(number: Int32, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }
}

/// How a database's schema relates to the migrations that this program knows.
package enum SchemaStatus: Hashable, Sendable {
    /// No migration was ever applied.
    case empty
    /// All migrations were applied.
    case current
    /// Migrations are still to be applied.
    case behind(pending: [Int32])
    /// The database has a migration that this program does not know.
    case ahead(found: Int32)
    /// An applied migration is not the one that this program knows by the number.
    case altered(number: Int32, name: String)
}

extension SchemaStatus: CustomStringConvertible {
    package var description: String {
        switch self {
        case .empty: "the database is empty; run: muster db migrate"
        case .current: "the database is current"
        case .behind(let pending):
            "the database lacks \(pending.count == 1 ? "migration" : "migrations") "
                + "\(pending.map(String.init).joined(separator: ", ")); run: muster db migrate"
        case .ahead(let found): "the database has migration \(found), which this version does not know; upgrade muster"
        case .altered(let number, let name):
            "migration \(number) (\(name)) of the database is not this version's; "
                + "use the muster version that made the database, or restore the database from a backup"
        }
    }
}

/// Why migrating failed.
package enum MigratorError: Error, Sendable {
    /// The database is in a state that migrating forward cannot mend: `ahead` or `altered`.
    case refused(SchemaStatus)
    /// A migration failed and was rolled back; those before it stay applied.
    case failed(number: Int32, name: String, PostgresError)
    /// A migration ended the transaction that it ran in, so what it did may be there in part.
    case endedTransaction(number: Int32, name: String)
    /// The database cannot be asked.
    case database(PostgresError)
}

extension MigratorError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(let status): "\(status)"
        case .failed(let number, let name, let error): "migration \(number) (\(name)) failed: \(error)"
        case .endedTransaction(let number, let name):
            "migration \(number) (\(name)) ended its own transaction; take COMMIT and ROLLBACK out of it"
        case .database(let error): "\(error)"
        }
    }
}
