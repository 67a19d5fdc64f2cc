/// What can break between us and PostgreSQL. Descriptions never hold bound values, stored values or passwords.
package enum PostgresError: Error, Sendable {
    /// No connection can serve now: none could be made, it was lost, the pool is exhausted, or the server shuts down
    /// or has become read-only after a failover. A statement that was in flight may or may not have had its effect;
    /// one inside a transaction had none.
    case unavailable(String)
    /// The server refused a statement.
    case server(Refusal)
    /// The call's deadline passed. As with `unavailable`, a lone statement may have had its effect.
    case timedOut
    /// The task was cancelled while the call waited.
    case cancelled
    /// A value is not what the caller asked for.
    case decoding(column: String, reason: String)
    /// The connection was lost or the deadline passed while COMMIT was in flight: the transaction is either wholly
    /// in the record or not at all, and only the record can tell.
    case commitOutcomeUnknown(String)
    /// The query cannot be sent as it is.
    case invalidQuery(String)

    /// An error that the server reported.
    package struct Refusal: Sendable {
        /// SQLSTATE, five characters.
        package var sqlState: String
        /// The server's primary message. For data exceptions (class 22) it quotes values, so `description` omits it.
        package var message: String
        /// The server's detail, which may quote stored values: for code, never for logs.
        package var detail: String?
        package var hint: String?
        package var schema: String?
        package var table: String?
        package var column: String?
        package var constraint: String?
        /// Which statement of a pipeline failed, from 0.
        package var statement: Int
        /// The routine of the server that reported it.
        package var routine: String?

        package init(sqlState: String, message: String, statement: Int = 0) {
            self.sqlState = sqlState
            self.message = message
            self.statement = statement
        }
    }

    /// True if the same transaction may succeed when it is run again from its start: serialization failure or
    /// deadlock (40001, 40P01), or a prepared statement that the schema outgrew.
    package var isTransient: Bool {
        guard case .server(let refusal) = self else { return false }
        return refusal.isSerializationFailure || refusal.isStalePlan
    }

    /// The violated constraint's name, if a constraint was violated (class 23).
    package var violatedConstraint: String? {
        guard case .server(let refusal) = self, refusal.sqlState.hasPrefix("23") else { return nil }
        return refusal.constraint
    }

    /// The SQLSTATE, if the server reported the error as such.
    package var sqlState: String? {
        guard case .server(let refusal) = self else { return nil }
        return refusal.sqlState
    }
}

extension PostgresError.Refusal {
    /// Serialization failure or deadlock: the loser of a race, to be run again.
    package var isSerializationFailure: Bool { sqlState == "40001" || sqlState == "40P01" }
    /// Unique violation.
    package var isUniqueViolation: Bool { sqlState == "23505" }

    /// A prepared statement that must be prepared anew: the schema changed its result (0A000 from plan revalidation),
    /// or something discarded it (26000).
    var isStalePlan: Bool {
        sqlState == "26000" || (sqlState == "0A000" && routine == "RevalidateCachedQuery")
    }

    /// True if the refusal says that this server or session can no longer serve, whatever the statement.
    var meansUnavailable: Bool {
        switch sqlState {
        // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped, idle_session_timeout
        case "57P01", "57P02", "57P03", "57P04", "57P05": true
        // read_only_sql_transaction: the server we hold was demoted by a failover
        case "25006": true
        // too_many_connections, idle_in_transaction_session_timeout
        case "53300", "25P03": true
        default: sqlState.hasPrefix("08")
        }
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unavailable(let reason): "PostgreSQL is unavailable: \(reason)"
        case .server(let refusal): refusal.description
        case .timedOut: "PostgreSQL did not answer before the call's deadline"
        case .cancelled: "the call to PostgreSQL was cancelled"
        case .decoding(let column, let reason): "column \(column): \(reason)"
        case .commitOutcomeUnknown(let reason): "whether the transaction was committed is unknown: \(reason)"
        case .invalidQuery(let reason): "the query cannot be sent: \(reason)"
        }
    }
}

extension PostgresError.Refusal: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        var text = "PostgreSQL refused with SQLSTATE \(sqlState)"
        if let constraint { text += ", constraint \(constraint)" }
        if let table { text += ", table \(table)" }
        if let column { text += ", column \(column)" }
        if statement > 0 { text += ", statement \(statement)" }
        // Class 22 quotes the offending value in its primary message.
        if !sqlState.hasPrefix("22") { text += ": \(message)" }
        return text
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
