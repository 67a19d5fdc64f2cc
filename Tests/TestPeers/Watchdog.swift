import Glibc

/// A shell that waits for this process's end, however it comes, and then cleans up after it.
///
/// It reads from a socket whose other end only we hold; the kernel closes that end when we end, also by SIGKILL.
final class Watchdog: Sendable {
    /// It lives long: what it inherited, such as a socket of another test, would stay open when that test closes it.
    private static let letGo =
        #"for fd in /proc/$$/fd/*; do fd=${fd##*/}; [ "$fd" -gt 2 ] && eval "exec $fd>&-"; done; "#

    private let leash: Int32
    private let child: pid_t

    /// Starts the shell in a session of its own.
    /// - Parameter script: What it does in the end; `$1`, `$2`, … are `arguments`.
    init(script: String, arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw WatchdogError.system(errno) }
        let words = ["setsid", "bash", "-c", Self.letGo + "cat >/dev/null; " + script, "watchdog"] + arguments
        child = try Self.spawn("/usr/bin/setsid", words, input: ends[0])
        close(ends[0])
        leash = ends[1]
    }

    /// Has the shell do its work now, and waits for its end.
    func release() {
        close(leash)
        var status: Int32 = 0
        unsafe waitpid(child, &status, 0)
    }

    private static func spawn(_ path: String, _ words: [String], input: Int32) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        // Whoever reads our output waits until all have closed it; the watchdog lives longer than we do.
        unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var child: pid_t = 0
        let status = unsafe posix_spawn(&child, path, &actions, nil, &arguments, environ)
        guard status == 0 else { throw WatchdogError.system(status) }
        return child
    }
}

/// The watchdog could not be started.
enum WatchdogError: Error {
    /// With that `errno`.
    case system(Int32)
}
