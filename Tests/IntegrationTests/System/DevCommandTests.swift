import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests {
    /// `muster dev`: everything on one machine.
    @Suite struct DevCommandTests {
        @Test func `dev.json names every surface and file, and every key is for its owner alone`() async throws {
            let (dev, document) = try await MusterDev.shared.running()
            #expect(document.urls.est.hasPrefix("https://localhost:"))
            #expect(document.urls.public.hasPrefix("http://localhost:"))
            #expect(document.mqtt.host == "localhost" && document.mqtt.port > 0)
            #expect(document.fleet == "demo")
            let files = document.files
            for file in [files.root, files.issuer, files.claimCert, files.manufacturerCert, files.operatorCert] {
                let mode = try await Shell.run("openssl x509 -in \"$1\" -noout; stat -c %a \"$1\"", file)
                #expect(mode == "644", "\(file)")
            }
            for file in [files.claimKey, files.manufacturerKey, files.operatorKey] {
                let mode = try await Shell.run(
                    "openssl pkey -in \"$1\" -noout -check >/dev/null; stat -c %a \"$1\"",
                    file
                )
                #expect(mode == "600", "\(file)")
            }
            let open = try await Shell.run("find \"$1\" -name '*.key' -perm /077", dev.state)
            #expect(open == "", "keys that others may read")
        }

        @Test func `every line of its log is a JSON object with time, level and message, and none holds a key`()
            async throws
        {
            let (dev, document) = try await MusterDev.shared.running()
            try await SystemDevice(document).enrolled()
            try await Eventually.holds("the attempt's line") { dev.logText.contains("\"message\":\"attempt\"") }
            // Without what stands behind the last line feed: a line that is being written now.
            let lines = dev.logText.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            for line in lines where !line.isEmpty {
                let object = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
                #expect(object["at"] != nil && object["level"] != nil && object["message"] != nil, "\(line)")
            }
            #expect(!dev.logText.contains("PRIVATE KEY"))
        }

        @Test(arguments: [SIGTERM, SIGINT])
        func `a signal ends all of it with status 0 and leaves nothing running`(signal: Int32) async throws {
            // For its folder and its clean-up; the program is started here, to see its exit status.
            let dev = try MusterDev()
            let program = try await Self.start(dev)
            #expect(try await dev.processes().count > 2)
            program.signal(signal)
            #expect(try await program.end(withinSeconds: MusterDev.endSecondsMax) == 0, "\(program.log.suffix(2_000))")
            #expect(try await dev.processes() == [])
            #expect(!FileManager.default.fileExists(atPath: dev.state + "/dev.json"))
        }

        @Test func `after a kill the next start goes on with the same data and the same PKI`() async throws {
            let dev = try MusterDev()
            let before = try await dev.start()
            let device = try await SystemDevice(before).enrolled()
            let root = try await Shell.run("sha256sum < \"$1\"", before.files.root)
            await dev.signal(SIGKILL)
            #expect(try await dev.waitForEnd())

            let after = try await dev.start()
            #expect(try await Shell.run("sha256sum < \"$1\"", after.files.root) == root)
            let recorded = try await RecordProbe(after)
                .query("select encode(der, 'hex') from certificates where device_id = '\(device.id)'")
            #expect(try await recorded == device.certificateHex())
            let fleets = try await RecordProbe(after).query("select count(*) from fleets")
            #expect(fleets == "1")
            let trustStores = try await RecordProbe(after).query("select count(*) from trust_stores")
            #expect(trustStores == "1")
            // One postmaster, one broker, one server: what the killed one left was ended first.
            // A child has its parent's command line for a moment.
            try await Eventually.holds("three programs to run") {
                try await Shell.run(
                    "pgrep -fc -- \"postgres -D $1/|mosquitto -d -c $1/|muster dev --state $1( |$)\"",
                    dev.state
                ) == "3"
            }
            try await dev.stop()
            #expect(try await dev.processes() == [])
        }

        @Test func `a second one on the same folder is refused, and the first goes on`() async throws {
            let (dev, document) = try await MusterDev.shared.running()
            let second = try await Shell.muster("dev", "--state", dev.state, "--port-base", "0")
            #expect(!second.succeeded)
            #expect(second.errorOutput.contains("another muster dev serves from \(dev.state)"))
            let health = try await Shell.run("curl -sSf \"$1/healthz\"", document.urls.public)
            #expect(health == "ok")
        }

        @Test func `what is set over its configuration counts, and an unknown key is refused`() async throws {
            let dev = try MusterDev()
            let document = try await dev.start(["--set", "issuers.0.crlShards=3"])
            try await Eventually.holds("three shards and the list of all") {
                try await RecordProbe(document).query("select count(*) from crls") == "4"
            }
            try await dev.stop()
            let refused = try await Shell.muster(
                "dev",
                "--state",
                dev.state,
                "--port-base",
                "0",
                "--set",
                "issuers.0.crlShard=3"
            )
            #expect(!refused.succeeded)
            #expect(refused.errorOutput.contains("issuers.0.crlShard"), "\(refused.errorOutput)")
            #expect(try await dev.processes() == [])
        }

        @Test(.enabled(if: geteuid() == 0, "only root starts PostgreSQL as another user"))
        func `a folder that PostgreSQL's user cannot reach is refused with the reason`() async throws {
            let folder = try TemporaryDirectory(prefix: "mclosed")
            try await Shell.run("chmod 700 \"$1\"", folder.path)
            let program = try await BackgroundProgram([
                MusterDev.executable("muster"), "dev", "--state", folder.path + "/s", "--port-base", "0",
            ])
            #expect(try await program.end(withinSeconds: MusterDev.readySecondsMax) == 1)
            let last = program.log.split(separator: "\n").last ?? ""
            #expect(last.hasPrefix("muster: "))
            #expect(last.contains(folder.path), "\(last)")
        }

        @Test(arguments: [
            ["--port-base", "80"], ["--port-base", "65001"], ["--port-base", "x"], ["--log-level", "loud"],
            ["--log-format", "xml"], ["--colour"],
        ])
        func `an option that makes no sense is refused before anything is made`(options: [String]) async throws {
            let folder = try TemporaryDirectory(prefix: "mopt")
            let arguments = ["dev", "--state", folder.path + "/s"] + options
            let result = try await Program.run(MusterDev.executable("muster"), arguments)
            #expect(!result.succeeded)
            #expect(result.errorOutput.contains("Usage: muster dev"))
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/s"))
        }

        /// Starts it in the folder of `dev` and waits until it is ready.
        private static func start(_ dev: MusterDev) async throws -> BackgroundProgram {
            let program = try await BackgroundProgram([
                MusterDev.executable("muster"), "dev", "--state", dev.state, "--port-base", "0",
            ])
            try await Eventually.holds("muster dev to be ready", seconds: MusterDev.readySecondsMax) {
                (try? await dev.document())?.pid == program.processID
            }
            return program
        }
    }
}
