import Foundation
import Glibc

/// A folder of files that are replaced whole or not at all, also when the power fails: written beside, synchronized,
/// renamed, and the folder synchronized.
package struct AgentFolder: Sendable {
    /// The largest file that is read, in octets.
    private static let octetsMax = 256 << 20
    private static let draftSuffix = ".draft"

    package let path: String

    /// Makes the folder if it is missing.
    /// - Parameter path: Absolute.
    package init(_ path: String) throws(FolderFault) {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o755]
            )
        } catch { throw FolderFault(path: path, action: "make the folder", code: nil) }
    }

    /// A folder in it.
    func folder(_ name: String) throws(FolderFault) -> AgentFolder { try AgentFolder(path + "/" + name) }

    /// The octets of a file; nil if it is not there, or cannot be read.
    func read(_ name: String) -> [UInt8]? {
        guard let file = FileHandle(forReadingAtPath: path + "/" + name) else { return nil }
        defer { try? file.close() }
        guard let data = try? file.read(upToCount: Self.octetsMax + 1), data.count <= Self.octetsMax else {
            return nil
        }
        return [UInt8](data)
    }

    /// The names of the files in it.
    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }

    /// Puts `octets` in the place of a file, readable by all, if they differ from what is there.
    /// - Returns: True if they did.
    @discardableResult
    func replace(_ name: String, with octets: [UInt8], mode: mode_t = 0o644) throws(FolderFault) -> Bool {
        guard read(name) != octets else { return false }
        let draft = path + "/" + name + Self.draftSuffix
        let descriptor = unsafe open(draft, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw FolderFault(path: draft, action: "write", code: errno) }
        do {
            defer { close(descriptor) }
            // A draft that was left has the mode that it had, and the umask takes from a new one.
            guard fchmod(descriptor, mode) == 0 else { throw FolderFault(path: draft, action: "write", code: errno) }
            var rest = octets[...]
            while !rest.isEmpty {
                let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    throw FolderFault(path: draft, action: "write", code: errno)
                }
            }
            guard fsync(descriptor) == 0 else { throw FolderFault(path: draft, action: "write", code: errno) }
        }
        guard unsafe rename(draft, path + "/" + name) == 0 else {
            throw FolderFault(path: path + "/" + name, action: "replace", code: errno)
        }
        try synchronize()
        return true
    }

    /// Removes a file; one that is not there is no fault.
    func remove(_ name: String) throws(FolderFault) {
        guard unsafe unlink(path + "/" + name) == 0 || errno == ENOENT else {
            throw FolderFault(path: path + "/" + name, action: "remove", code: errno)
        }
        try synchronize()
    }

    private func synchronize() throws(FolderFault) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FolderFault(path: path, action: "synchronize", code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FolderFault(path: path, action: "synchronize", code: errno) }
    }
}

/// A file that could not be written.
package struct FolderFault: Error, Hashable, Sendable, CustomStringConvertible {
    let path: String
    let action: String
    /// The system's error number; nil if it did not say.
    let code: Int32?

    package var description: String {
        var reason: String?
        if let code, let words = unsafe strerror(code) { reason = unsafe String(cString: words) }
        return "could not \(action) \(path): \(reason ?? "is the folder above it there, and ours to write?")"
    }
}
