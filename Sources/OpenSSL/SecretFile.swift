import Glibc

/// Reads files that hold a secret, and refuses those that others may read.
package enum SecretFile {
    /// Permission bits of group and others; a secret's file has none of them.
    private static let othersBits: mode_t = 0o077

    /// Reads the whole file at `path`.
    ///
    /// Kind, mode and size are those of the open descriptor, so that no other file can take the path's place between
    /// check and read. A named pipe or a device is refused without waiting for it.
    package static func read(path: String, octetsMax: Int) throws(SecretFileError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: lastError()) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: lastError()) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: path) }
        let mode = status.st_mode & 0o7777
        guard mode & othersBits == 0 else { throw .mode(path: path, mode: UInt32(mode)) }

        // One octet more than allowed is asked for, so that a file that grows meanwhile is seen too.
        var content = [UInt8](repeating: 0, count: octetsMax + 1)
        var count = 0
        while count < content.count {
            let got = unsafe content.withUnsafeMutableBytes { bytes in
                unsafe Glibc.read(descriptor, bytes.baseAddress?.advanced(by: count), bytes.count - count)
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw .unreadable(path: path, reason: lastError()) }
            if got == 0 { break }
            count += got
        }
        guard count <= octetsMax else { throw .tooLarge(path: path, octetsMax: octetsMax) }
        content.removeLast(content.count - count)
        return content
    }

    private static func lastError() -> String { unsafe String(cString: strerror(errno)) }
}

/// Why a file with a secret was not read.
package enum SecretFileError: Error, Hashable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case notRegular(path: String)
    case mode(path: String, mode: UInt32)
    case tooLarge(path: String, octetsMax: Int)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .notRegular(let path): "\(path) is not a regular file"
        case .mode(let path, let mode):
            "\(path) has mode 0\(String(mode, radix: 8)), so others may read it; run: chmod 600 '\(path)'"
        case .tooLarge(let path, let octetsMax): "\(path) has more than \(octetsMax) octets"
        }
    }
}
