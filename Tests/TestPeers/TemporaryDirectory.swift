import Foundation

/// A folder for one test, removed with all it holds when the test lets go of it.
package final class TemporaryDirectory: Sendable {
    /// Absolute path, without a trailing slash. Kept short: PostgreSQL's sockets below it must fit 107 bytes.
    package let path: String

    package init(prefix: String = "muster") throws {
        path = NSTemporaryDirectory().trimmingSuffix("/") + "/\(prefix)-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes `bytes` to a file of that name and gives its path.
    @discardableResult
    package func write(_ name: String, _ bytes: some Sequence<UInt8>, mode: Int = 0o600) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }

    /// Reads the file of that name.
    package func read(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
