extension PostgresPool {
    /// The pool's bounds.
    package struct Configuration: Sendable {
        /// How each connection is made.
        package var connection: PostgresConfiguration
        /// The most connections open at once.
        package var connectionsMax: Int
        /// The least connections that `run()` keeps open.
        package var connectionsMin: Int
        /// The most callers that wait for a connection; more are refused at once.
        package var waitingMax: Int
        /// How long a caller waits for a connection.
        package var acquireTimeout: Duration
        /// The first pause after a failed attempt to connect; it doubles, with jitter, up to `backoffMax`.
        package var backoffMin: Duration
        package var backoffMax: Duration

        package static let connectionsMaxDefault = 8
        package static let connectionsMinDefault = 1
        package static let waitingMaxDefault = 1024
        package static let acquireTimeoutDefault: Duration = .seconds(3)
        package static let backoffMinDefault: Duration = .milliseconds(50)
        package static let backoffMaxDefault: Duration = .seconds(2)

        package init(
            connection: PostgresConfiguration,
            connectionsMax: Int = Self.connectionsMaxDefault,
            connectionsMin: Int = Self.connectionsMinDefault,
            waitingMax: Int = Self.waitingMaxDefault,
            acquireTimeout: Duration = Self.acquireTimeoutDefault,
            backoffMin: Duration = Self.backoffMinDefault,
            backoffMax: Duration = Self.backoffMaxDefault
        ) {
            self.connection = connection
            self.connectionsMax = max(1, connectionsMax)
            self.connectionsMin = max(0, min(connectionsMin, connectionsMax))
            self.waitingMax = max(1, waitingMax)
            self.acquireTimeout = acquireTimeout
            self.backoffMin = backoffMin
            self.backoffMax = max(backoffMin, backoffMax)
        }
    }

    /// What the pool holds at one moment, for metrics.
    package struct Statistics: Hashable, Sendable {
        /// Connections lent to callers.
        package var inUse: Int
        /// Connections open and free.
        package var idle: Int
        /// Connections being made.
        package var opening: Int
        /// Callers waiting for a connection.
        package var waiting: Int
        /// Failed attempts to connect since the last success.
        package var connectFailures: Int
    }
}
