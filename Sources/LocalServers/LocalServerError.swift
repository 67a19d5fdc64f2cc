/// What keeps a private server from starting, stopping or answering.
package enum LocalServerError: Error, Equatable, CustomStringConvertible {
    /// No program of that name here; `package` is what brings it on Debian.
    case programMissing(name: String, package: String)
    /// The server's user may not enter `directory`, which lies above the server's own folder.
    case notTraversable(directory: String, user: String)
    /// Another living process owns this folder.
    case inUse(directory: String)
    /// Data written by a version of PostgreSQL that is not installed.
    case versionMissing(major: String, directory: String)
    /// A program ended badly; `detail` is the end of what it said.
    case failed(action: String, detail: String)
    /// A bounded wait came to its end.
    case timedOut(action: String, detail: String)
    /// A system call failed.
    case system(action: String, path: String, reason: String)
    /// A value that cannot be written into a server's configuration.
    case unusable(what: String, why: String)

    package var description: String {
        switch self {
        case .programMissing(let name, let package):
            "\(name) is not installed; install it: apt-get install \(package)"
        case .notTraversable(let directory, let user):
            "the user \(user), who runs the server, may not enter \(directory); "
                + "run chmod o+x \(directory), or choose a folder elsewhere"
        case .inUse(let directory):
            "another running process uses \(directory); stop it, or choose another folder"
        case .versionMissing(let major, let directory):
            "\(directory) was written by PostgreSQL \(major), which is not installed; "
                + "install postgresql-\(major), or choose another folder"
        case .failed(let action, let detail):
            "could not \(action): \(detail)"
        case .timedOut(let action, let detail):
            "gave up waiting to \(action): \(detail)"
        case .system(let action, let path, let reason):
            "could not \(action) \(path): \(reason)"
        case .unusable(let what, let why):
            "\(what) cannot be used: \(why)"
        }
    }
}
