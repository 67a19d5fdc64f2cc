import Glibc

/// The process's bound on open files (RLIMIT_NOFILE), of which each connection takes one.
enum OpenFileLimit {
    /// Raises it as far as the system allows.
    static func raise() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(resource, &limit)
    }
}
