/// How to reach PostgreSQL. It holds a secret (the connection string's password), so it describes itself without it.
package struct PostgresConfiguration: Sendable {
    /// A libpq connection string or URI. Several hosts, `target_session_attrs=read-write`, `sslmode` and the rest mean
    /// what libpq says they mean.
    package var connectionString: String
    /// How long each host may take to answer a connection attempt; libpq counts whole seconds, two at least.
    package var connectTimeout: Duration
    /// How long a call may take, unless the call says otherwise.
    package var callTimeout: Duration
    /// What `pg_stat_activity` shows.
    package var applicationName: String
    /// The most statements a connection keeps prepared; the least recently used one goes first.
    package var preparedStatementsMax: Int
    /// SQL that each new connection runs first, `set` statements: how PostgreSQL is to behave towards it.
    package var settings = ""

    package static let connectTimeoutDefault: Duration = .seconds(5)
    package static let callTimeoutDefault: Duration = .seconds(10)
    package static let preparedStatementsMaxDefault = 256

    package init(
        connectionString: String,
        connectTimeout: Duration = Self.connectTimeoutDefault,
        callTimeout: Duration = Self.callTimeoutDefault,
        applicationName: String = "muster",
        preparedStatementsMax: Int = Self.preparedStatementsMaxDefault
    ) {
        self.connectionString = connectionString
        self.connectTimeout = connectTimeout
        self.callTimeout = callTimeout
        self.applicationName = applicationName
        self.preparedStatementsMax = max(1, preparedStatementsMax)
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "PostgresConfiguration(applicationName: \(applicationName), connectTimeout: \(connectTimeout), "
            + "callTimeout: \(callTimeout))"
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["applicationName": applicationName]) }
}

extension Duration {
    /// Whole nanoseconds, held at the edges of the range.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? UInt64.max / 2 : min(product &+ UInt64(attoseconds / 1_000_000_000), UInt64.max / 2)
    }
}
