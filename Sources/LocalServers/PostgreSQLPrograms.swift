import Foundation

/// The programs of one installed PostgreSQL.
struct PostgreSQLPrograms: Sendable {
    static let majorMin = 14

    let major: Int
    let folder: String

    /// The newest installed version of 14 or later; or exactly `major`, if data of that version are there already.
    static func find(major wanted: String?, dataFolder: String) async throws(LocalServerError) -> PostgreSQLPrograms {
        var installed = debian()
        if let onPath = await onPath() { installed.append(onPath) }
        guard let wanted else {
            let newest = installed.filter { $0.major >= majorMin }.max { $0.major < $1.major }
            guard let newest else { throw .programMissing(name: "PostgreSQL 14 or later", package: "postgresql") }
            return newest
        }
        guard let same = installed.first(where: { String($0.major) == wanted }) else {
            throw .versionMissing(major: wanted, directory: dataFolder)
        }
        return same
    }

    func callAsFunction(_ program: String) -> String { folder + "/" + program }

    /// Debian keeps each major version in a folder of its own, outside of PATH.
    private static func debian() -> [PostgreSQLPrograms] {
        let root = "/usr/lib/postgresql"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return names.compactMap { name in
            let folder = "\(root)/\(name)/bin"
            guard let major = Int(name), FileManager.default.isExecutableFile(atPath: folder + "/initdb") else {
                return nil
            }
            return PostgreSQLPrograms(major: major, folder: folder)
        }
    }

    private static func onPath() async -> PostgreSQLPrograms? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        guard
            let folder = folders.first(where: { FileManager.default.isExecutableFile(atPath: $0 + "/initdb") }),
            let user = try? ServerUser.choose(preferring: []),
            let outcome = try? await ServerProgram.run(folder + "/initdb", ["--version"], as: user),
            // "initdb (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"
            let version = outcome.output.split(separator: " ").dropFirst(2).first,
            let major = version.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) })
        else { return nil }
        return PostgreSQLPrograms(major: major, folder: folder)
    }
}
