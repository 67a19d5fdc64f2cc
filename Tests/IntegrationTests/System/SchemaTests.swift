import Foundation
import TestPeers
import Testing

extension SystemTests {
    /// The schema: migrations, and their golden sum. `MUSTER_REFRESH=1` has the test write `db/schema.sql` anew.
    @Suite struct SchemaTests {
        @Test func `an empty database is migrated, and says where it stands`() async throws {
            let database = try await Self.database()
            let empty = try await Shell.muster("db", "status", "--database", database.owner)
            #expect(!empty.succeeded)
            #expect(empty.text.contains("muster db migrate"), "\(empty.text)")
            let migrated = try await Shell.muster("db", "migrate", "--database", database.owner)
            #expect(migrated.succeeded, "\(migrated.errorOutput)")
            #expect(migrated.text.contains("applied 1 initial"))
            let current = try await Shell.muster("db", "status", "--database", database.owner)
            #expect(current.succeeded)
            let again = try await Shell.muster("db", "migrate", "--database", database.owner)
            #expect(again.succeeded)
            #expect(!again.text.contains("applied"))
        }

        @Test(arguments: [
            "insert into schema_migrations (number, name, sha256) values (9999, 'of_the_future', sha256(''))",
            "update schema_migrations set sha256 = sha256('') where number = 1",
        ])
        func `a database of a later or another program is refused with what to do`(change: String) async throws {
            let database = try await Self.database()
            _ = try await Shell.muster("db", "migrate", "--database", database.owner)
            try await Self.psql(database.superuser, change)
            for verb in ["status", "migrate"] {
                let result = try await Shell.muster("db", verb, "--database", database.owner)
                #expect(!result.succeeded)
                let said = result.text + result.errorOutput
                #expect(said.contains(change.contains("9999") ? "9999" : "initial"), "\(said)")
            }
            let serve = try await Self.serve(database.server)
            #expect(!serve.succeeded)
            #expect(serve.errorOutput.contains(change.contains("9999") ? "9999" : "initial"), "\(serve.errorOutput)")
        }

        @Test func `a server refuses a database that is too old`() async throws {
            let database = try await Self.database()
            let serve = try await Self.serve(database.server)
            #expect(!serve.succeeded)
            #expect(serve.errorOutput.hasPrefix("muster: "))
            #expect(serve.errorOutput.contains("muster db migrate"), "\(serve.errorOutput)")
        }

        @Test func `several migrators at once apply each migration once`() async throws {
            let database = try await Self.database()
            let outputs = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        let result = try await Shell.muster("db", "migrate", "--database", database.owner)
                        #expect(result.succeeded, "\(result.errorOutput)")
                        return result.text
                    }
                }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(outputs.filter { $0.contains("applied 1 initial") }.count == 1)
        }

        @Test func `db/schema.sql is the sum of the migrations`() async throws {
            let database = try await Self.database()
            let migrated = try await Shell.muster("db", "migrate", "--database", database.owner)
            try #require(migrated.succeeded, "\(migrated.errorOutput)")
            let dump = try await Shell.run("pg_dump --schema-only --no-owner \"$1\"", database.superuser)
            let sum = Self.normalised(dump)
            let file = Self.repository + "/db/schema.sql"
            if ProcessInfo.processInfo.environment["MUSTER_REFRESH"] == "1" {
                // Blank lines are for readers, and do not count.
                let text = Self.preface + sum.replacing("\nCREATE ", with: "\n\nCREATE ") + "\n"
                try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            }
            let golden = Self.normalised(try String(contentsOfFile: file, encoding: .utf8))
            let difference = sum.split(separator: "\n").difference(from: golden.split(separator: "\n"))
            #expect(
                difference.isEmpty,
                "refresh it by: MUSTER_REFRESH=1 swift test --filter SchemaTests\n\(difference.prefix(20))"
            )
        }

        @Test func `every file of db/migrations is a step, in order and without gaps`() throws {
            let files = try FileManager.default.contentsOfDirectory(atPath: Self.repository + "/db/migrations").sorted()
            let source = try String(contentsOfFile: Self.repository + "/db/Schema.swift", encoding: .utf8)
            let steps = source.matches(of: /Step\(number: (\d+), name: "(\w+)", sql: text\(PackageResources\.(\w+)\)/)
            try #require(steps.count == files.count)
            for (place, (file, step)) in zip(files, steps).enumerated() {
                let number = try #require(Int(step.1))
                #expect(number == place + 1)
                let digits = String(number)
                let padded = String(repeating: "0", count: 4 - digits.count) + digits
                #expect(file == "\(padded)_\(step.2).sql")
                // The generated name has _ in place of the first digit.
                #expect(step.3 == "_\(padded.dropFirst())_\(step.2)_sql")
            }
        }

        private static let preface = """
            -- The sum of all migrations, as pg_dump shows it: to read, and to see in a diff what a migration does.
            -- Written by the test that compares it (see README.md); a database is made by the migrations alone.


            """

        private static let repository: String = {
            var file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            for _ in 0..<4 { file.deleteLastPathComponent() }
            return file.path
        }()

        /// A dump without what differs between machines, versions and months. The months' partitions of the attempts
        /// become one.
        private static func normalised(_ dump: String) -> String {
            let lines = dump.split(separator: "\n").filter { line in
                !["--", "SET ", "\\restrict ", "\\unrestrict ", "SELECT pg_catalog.set_config"].contains {
                    line.hasPrefix($0)
                }
            }
            let masked = lines.joined(separator: "\n")
                .replacing(/attempts_\d{4}_\d{2}/, with: "attempts_MONTH")
                .replacing(/'\d{4}-\d{2}-01 00:00:00\+00'/, with: "'FIRST_DAY'")
            var seen: Set<String> = []
            let statements = masked.split(separator: ";\n").map(String.init).filter { statement in
                !statement.contains("attempts_MONTH") || seen.insert(statement).inserted
            }
            return statements.joined(separator: ";\n")
        }

        private struct Database: Sendable {
            let superuser: String
            let owner: String
            let server: String
        }

        /// An empty database with the roles, as an installation begins.
        private static func database() async throws -> Database {
            let uri = try await PostgreSQLCluster.shared.database()
            let roles = try String(contentsOfFile: repository + "/db/roles.sql", encoding: .utf8)
            try await psql(uri, roles)
            let name = try #require(uri.firstMatch(of: /@\/(\w+)\?/)?.1)
            try await psql(uri, "alter database \(name) owner to muster_owner")
            return Database(
                superuser: uri,
                owner: uri.replacing("//postgres@", with: "//muster_owner@"),
                server: uri.replacing("//postgres@", with: "//muster_server@")
            )
        }

        private static func psql(_ uri: String, _ sql: String) async throws {
            let result = try await Program.run(
                "psql",
                ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", uri],
                input: Array(sql.utf8)
            )
            guard result.succeeded else { throw BadEnd(program: "psql", errorOutput: result.errorOutput) }
        }

        /// `muster serve` on that database; for those that it refuses.
        private static func serve(_ database: String) async throws -> Program.Result {
            let (dev, _) = try await MusterDev.shared.running()
            return try await Program.run(
                "timeout",
                [
                    "-s", "KILL", "120", MusterDev.executable("muster"), "serve", "--config",
                    dev.state + "/muster.yaml",
                    "--set", "database.url=\(database)", "--set", "est.listen=127.0.0.1:0",
                    "--set", "public.listen=127.0.0.1:0", "--set", "metrics.listen=127.0.0.1:0",
                ]
            )
        }
    }
}
