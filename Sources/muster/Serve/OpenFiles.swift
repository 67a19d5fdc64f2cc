import Glibc
import Logging

/// The process's bound on open files (RLIMIT_NOFILE), of which each connection takes one. A process that reaches it can
/// neither take connections nor turn them away, reach its database again, or read its keys.
enum OpenFiles {
    /// Files that are no connections of devices or of the public front: those of the operator front (256 at most) and of the
    /// metrics front (64), of the database and the broker, logs and keys.
    static let reserved = 448
    /// The fewest device connections that a server serves with, however low the bound.
    static let connectionsMin = 16

    /// Raises the bound as far as so many device connections need and the system allows.
    /// - Parameter beside: How many connections the public front may have.
    /// - Returns: How many connections the device front may have.
    static func connections(asked: Int, beside: Int, logger: Logger) -> Int {
        let reserved = reserved + beside
        let bound = raised(to: asked + reserved)
        let connections = min(asked, max(connectionsMin, bound - reserved))
        if connections < asked {
            logger.warning(
                "fewer connections than est.connectionsMax: raise the limit of open files (LimitNOFILE, ulimit -n)",
                metadata: ["openFiles": "\(bound)", "connectionsMax": "\(asked)", "connections": "\(connections)"]
            )
        }
        return connections
    }

    /// - Returns: The bound that then holds.
    private static func raised(to wanted: Int) -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        // Fails for an unknown resource or a bad address only.
        guard unsafe getrlimit(resource, &limit) == 0 else { return wanted }
        let target = min(rlim_t(wanted), limit.rlim_max)
        if limit.rlim_cur < target {
            var raised = limit
            raised.rlim_cur = target
            if unsafe setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }
}
