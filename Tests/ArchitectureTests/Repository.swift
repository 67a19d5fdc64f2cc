import Foundation

/// The tree that these tests are part of.
struct Repository {
    enum Failure: Error {
        case rootNotFound(above: String)
        case gitFailed(status: Int32)
    }

    /// Absolute, without a trailing slash.
    let root: String

    /// Finds the root above this file, through symbolic links; `MUSTER_ROOT` overrides it.
    init(file: String = #filePath) throws {
        if let root = ProcessInfo.processInfo.environment["MUSTER_ROOT"] {
            self.root = root
            return
        }
        var folder = URL(fileURLWithPath: file).resolvingSymlinksInPath().deletingLastPathComponent()
        while folder.path != "/" {
            if FileManager.default.fileExists(atPath: folder.path + "/" + ImportPage.path) {
                root = folder.path
                return
            }
            folder.deleteLastPathComponent()
        }
        throw Failure.rootNotFound(above: file)
    }

    /// Text of a file, by its path from the root.
    func text(_ path: String) throws -> String {
        try String(contentsOfFile: root + "/" + path, encoding: .utf8)
    }

    /// Files that are tracked or would be: what is ignored, such as `.build`, is not part of the tree.
    func files() throws -> [String] {
        let git = Process()
        let output = Pipe()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // A checkout may belong to another user than the one who tests it, as in a container.
        git.arguments = [
            "git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard",
        ]
        git.standardOutput = output
        try git.run()
        let listing = try output.fileHandleForReading.readToEnd() ?? Data()
        git.waitUntilExit()
        guard git.terminationStatus == 0 else { throw Failure.gitFailed(status: git.terminationStatus) }
        // A file that is deleted but not yet so recorded is still listed.
        return Set(listing.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
            .filter { FileManager.default.fileExists(atPath: root + "/" + $0) }
            .sorted()
    }

    /// The Swift files of the house among `files`, with their text.
    func sources(among files: [String]) throws -> [SourceFile] {
        try files
            .filter { path in
                path.hasSuffix(".swift")
                    && ["Sources/", "simulators/", "db/", "Tests/"].contains { path.hasPrefix($0) }
            }
            .map { SourceFile(path: $0, text: try text($0)) }
    }
}
