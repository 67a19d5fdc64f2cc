import Foundation
import Glibc

/// The folder of a private server's Unix socket: only its user (and root) can come to the socket in it.
struct PostgreSQLSocket: Sendable {
    /// `sun_path` holds 107 bytes and a zero; the server appends this name.
    private static let fileName = "/.s.PGSQL.5432.lock"
    private static let pathBytesMax = 107

    let folder: String
    /// True if it lies outside of the server's folder, because that one's path is too long or has odd characters.
    let isElsewhere: Bool

    /// Decides where the socket of the server in `directory` lies: in it if the path is short and plain, else in a
    /// folder of /tmp whose name follows from `directory`, so that the same server is always found again.
    init(directory: String, user: ServerUser) {
        let inside = directory + "/socket"
        let isPlain = inside.utf8.allSatisfy { Self.plain.contains($0) }
        isElsewhere = !isPlain || inside.utf8.count + Self.fileName.utf8.count > Self.pathBytesMax
        folder = isElsewhere ? "/tmp/muster-\(user.userID)-\(Self.hash(directory))" : inside
    }

    /// Makes the folder. In /tmp anybody may have been there first: what is not ours alone is refused.
    func make(for user: ServerUser) throws(LocalServerError) {
        if isElsewhere, unsafe mkdir(folder, 0o700) != 0, errno == EEXIST {
            var status = stat()
            guard unsafe lstat(folder, &status) == 0 else { throw .errno("examine", folder) }
            let owners = [user.userID, geteuid()]
            guard status.st_mode & S_IFMT == S_IFDIR, owners.contains(status.st_uid), status.st_mode & 0o077 == 0 else {
                throw .unusable(what: folder, why: "it belongs to somebody else; remove it, or choose a shorter folder")
            }
        }
        try ServerFolder.make(folder, mode: 0o700, owner: user)
    }

    /// Removes the socket and its lock file, which a killed server leaves.
    func removeFiles() {
        for name in [Self.fileName, String(Self.fileName.dropLast(".lock".count))] {
            try? FileManager.default.removeItem(atPath: folder + name)
        }
    }

    /// Removes the folder of /tmp once the server has ended.
    func remove() {
        if isElsewhere { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// Characters that mean themselves in the server's configuration and in a URI.
    private static let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-".utf8)

    /// FNV-1a: the same on every run, which `Hasher` is not.
    private static func hash(_ text: String) -> String {
        String(text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
    }
}
