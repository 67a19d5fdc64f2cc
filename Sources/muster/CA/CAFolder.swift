import Foundation
import Glibc

/// The folder that a command of `muster ca` writes to: several files, all of them or none, and never over one that is
/// there.
struct CAFolder {
    /// One file to be written.
    struct File {
        let name: String
        let bytes: [UInt8]
        /// True for private keys: mode 0600 from the first moment.
        let isSecret: Bool

        static func secret(_ name: String, _ bytes: [UInt8]) -> File {
            File(name: name, bytes: bytes, isSecret: true)
        }

        static func open(_ name: String, _ text: String) -> File {
            File(name: name, bytes: Array(text.utf8), isSecret: false)
        }
    }

    private static let folderMode: mode_t = 0o700
    private static let secretMode: mode_t = 0o600
    private static let openMode: mode_t = 0o644

    /// Absolute, so that it may be copied into a configuration anywhere.
    let path: String

    init(_ path: String) { self.path = Self.absolute(path) }

    /// `path` from the root of the file system on.
    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    func file(_ name: String) -> String { path + "/" + name }

    /// Refuses if one of `names` is there already, also as a link to nowhere; to be asked before keys are made.
    func checkFree(_ names: [String]) throws(CARefusal) {
        // Follows no link.
        let taken = names.map(file).filter { (try? FileManager.default.attributesOfItem(atPath: $0)) != nil }
        guard taken.isEmpty else { throw CARefusal(taken.map(Self.taken)) }
    }

    /// Makes the folder if it is missing, and writes all of `files` to the disk. If one cannot be written, those that
    /// this call made are removed again.
    func write(_ files: [File]) throws(CARefusal) {
        try checkFree(files.map(\.name))
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: Int(Self.folderMode)]
            )
        } catch {
            throw CARefusal("\(path): the folder cannot be made; check --out, and that this user may write there")
        }
        var made: [String] = []
        do throws(CARefusal) {
            for file in files {
                try write(file, made: &made)
            }
            try synchronize()
        } catch {
            for path in made { unsafe unlink(path) }
            throw error
        }
    }

    private func write(_ file: File, made: inout [String]) throws(CARefusal) {
        let path = self.file(file.name)
        let mode = file.isSecret ? Self.secretMode : Self.openMode
        // O_EXCL also refuses a link, so no one can have the key written elsewhere.
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else {
            throw CARefusal(errno == EEXIST ? Self.taken(path) : Self.unwritable(path))
        }
        defer { close(descriptor) }
        made.append(path)
        // The process's umask may have taken bits away from what all may read.
        guard fchmod(descriptor, mode) == 0 else { throw CARefusal(Self.unwritable(path)) }
        var written = 0
        while written < file.bytes.count {
            let count = unsafe file.bytes.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw CARefusal(Self.unwritable(path)) }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw CARefusal(Self.unwritable(path)) }
    }

    /// Makes the files' names durable, too.
    private func synchronize() throws(CARefusal) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CARefusal(Self.unwritable(path)) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw CARefusal(Self.unwritable(path)) }
    }

    private static func taken(_ path: String) -> String {
        "\(path) is there already, and nothing is overwritten; give another folder with --out, or move that file away"
    }

    private static func unwritable(_ path: String) -> String {
        "\(path) cannot be written: \(unsafe String(cString: strerror(errno))); nothing was left behind"
    }
}
