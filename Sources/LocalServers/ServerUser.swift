import Glibc

/// Who a private server runs as: an unprivileged user when root starts it, else whoever starts it.
/// PostgreSQL refuses to run as root, and no server of ours needs to.
struct ServerUser: Sendable, Equatable {
    let name: String
    let userID: UInt32
    let groupID: UInt32
    /// True if a process must change to this user before it becomes the server.
    let mustChange: Bool

    /// The first of `names` that exists, if root asks; `nobody` if none does.
    static func choose(preferring names: [String]) throws(LocalServerError) -> ServerUser {
        guard geteuid() == 0 else {
            return ServerUser(name: "user \(geteuid())", userID: geteuid(), groupID: getegid(), mustChange: false)
        }
        for name in names + ["nobody"] {
            if let user = named(name) { return user }
        }
        throw .unusable(
            what: "root",
            why: "there is no unprivileged user here; create one: adduser --system \(names[0])"
        )
    }

    private static func named(_ name: String) -> ServerUser? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: entryBytesMax) { buffer in
            guard let base = buffer.baseAddress,
                unsafe getpwnam_r(name, &entry, base, entryBytesMax, &found) == 0, unsafe found != nil
            else { return nil }
            return unsafe ServerUser(name: name, userID: entry.pw_uid, groupID: entry.pw_gid, mustChange: true)
        }
    }

    private static let entryBytesMax = 16 << 10
}
