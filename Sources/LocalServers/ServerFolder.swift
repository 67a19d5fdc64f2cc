import Foundation
import Glibc

/// The folder of one private server: made for the server's user, and owned by one living process at a time.
///
/// The lock is an open file description (`flock`), so the kernel lets go of it however its process ends.
final class ServerFolder: Sendable {
    let path: String
    let user: ServerUser
    private let lock: Int32

    /// Makes the folder if it is missing, takes its lock, and sees that the server's user can come to it.
    init(_ path: String, for user: ServerUser) async throws(LocalServerError) {
        try Self.make(path, mode: 0o700, owner: user)
        let file = path + "/lock"
        let descriptor = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .errno("open", file) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .inUse(directory: path)
        }
        lock = descriptor
        self.path = path
        self.user = user
        try await checkTraversable()
    }

    deinit { close(lock) }

    /// Makes a folder of that mode for `owner`, with the folders above it; sets mode and owner if it exists.
    static func make(_ path: String, mode: Int, owner: ServerUser) throws(LocalServerError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .system(action: "make the folder", path: path, reason: error.localizedDescription)
        }
        try hand(path, mode: mode, to: owner)
    }

    /// Writes a file whole: a reader sees the old text or the new, never a part.
    func write(_ name: String, _ bytes: some Sequence<UInt8>, mode: Int = 0o600) throws(LocalServerError) {
        let file = path + "/" + name
        let fresh = file + ".fresh"
        do {
            try Data().write(to: URL(fileURLWithPath: fresh))
            try Self.hand(fresh, mode: mode, to: user)
            try Data(bytes).write(to: URL(fileURLWithPath: fresh))
        } catch let error as LocalServerError {
            throw error
        } catch {
            throw .system(action: "write", path: fresh, reason: error.localizedDescription)
        }
        guard unsafe rename(fresh, file) == 0 else { throw .errno("rename", fresh) }
    }

    /// Makes `name` an appendable log for the server, and moves it aside if it has grown long.
    func prepareLog(_ name: String) throws(LocalServerError) {
        let file = path + "/" + name
        let size = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
        if size > Self.logBytesMax { unsafe rename(file, file + ".1") }
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .errno("open", file) }
        close(descriptor)
        try Self.hand(file, mode: 0o600, to: user)
    }

    /// The end of a log, for the text of an error.
    func logTail(_ name: String) -> String {
        guard let handle = FileHandle(forReadingAtPath: path + "/" + name) else { return "no log" }
        defer { try? handle.close() }
        let end = (try? handle.seekToEnd()) ?? 0
        try? handle.seek(toOffset: end > Self.tailBytes ? end - Self.tailBytes : 0)
        let tail = (try? handle.readToEnd()) ?? Data()
        return String(decoding: tail, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func hand(_ path: String, mode: Int, to owner: ServerUser) throws(LocalServerError) {
        if owner.mustChange, unsafe lchown(path, owner.userID, owner.groupID) != 0 {
            throw .errno("give \(owner.name) the ownership of", path)
        }
        guard unsafe chmod(path, mode_t(mode)) == 0 else { throw .errno("set the mode of", path) }
    }

    /// Asks the system itself, as the server's user, so that access lists and mounts count too.
    private func checkTraversable() async throws(LocalServerError) {
        guard user.mustChange else { return }
        guard try await !mayEnter(path) else { return }
        var above = ""
        for part in path.split(separator: "/") {
            above += "/" + part
            guard try await mayEnter(above) else { throw .notTraversable(directory: above, user: user.name) }
        }
    }

    private func mayEnter(_ directory: String) async throws(LocalServerError) -> Bool {
        try await ServerProgram.run("/usr/bin/test", ["-x", directory], as: user).succeeded
    }

    private static let logBytesMax = 16 << 20
    private static let tailBytes: UInt64 = 2000
}

extension LocalServerError {
    /// The failure that `errno` names now.
    static func errno(_ action: String, _ path: String) -> LocalServerError {
        let reason = unsafe strerror(Glibc.errno).map { unsafe String(cString: $0) } ?? "unknown"
        return .system(action: action, path: path, reason: reason)
    }
}
