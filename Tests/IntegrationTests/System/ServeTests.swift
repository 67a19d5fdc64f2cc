import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests {
    /// `muster serve`: one server of a fleet's several.
    @Suite struct ServeTests {
        /// A replica beside `muster dev`: the same database and broker, ports of its own.
        struct Replica {
            let program: BackgroundProgram
            let est: String

            init(config: String, options: [String] = []) async throws {
                let program = try await BackgroundProgram(
                    [
                        MusterDev.executable("muster"), "serve", "--config", config,
                        "--set", "est.listen=127.0.0.1:0", "--set", "public.listen=127.0.0.1:0", "--set",
                        "operator.listen=127.0.0.1:0", "--set", "metrics.listen=127.0.0.1:0",
                    ] + options
                )
                try await Eventually.holds("muster serve to listen", seconds: 90) {
                    program.status != nil || Self.port(program) != nil
                }
                guard let port = Self.port(program) else { throw MissedCondition(what: "a replica: \(program.log)") }
                self.program = program
                est = "https://localhost:\(port)"
            }

            /// From the log line that says where it serves.
            private static func port(_ program: BackgroundProgram) -> Substring? {
                program.log.firstMatch(of: /"message":"serving","est":"(\d+)"/)?.1
            }
        }

        @Test func `a misspelt key stops it with the key's name and line`() async throws {
            let (dev, _) = try await MusterDev.shared.running()
            let folder = try TemporaryDirectory(prefix: "mserve")
            let text = try String(contentsOfFile: dev.state + "/muster.yaml", encoding: .utf8)
            let wrong = text.replacing("defaultFleet:", with: "defaultFlet:")
            let line =
                try #require(
                    wrong.split(separator: "\n", omittingEmptySubsequences: false).firstIndex {
                        $0.contains("defaultFlet:")
                    }
                ) + 1
            let file = try folder.write("muster.yaml", wrong.utf8)
            let result = try await Shell.muster("serve", "--config", file)
            #expect(!result.succeeded)
            #expect(
                result.errorOutput.hasPrefix("muster: \(file):\(line):3: est.defaultFlet: unknown key"),
                "\(result.errorOutput)"
            )
        }

        @Test func `a database that cannot be reached stops it at once, and the reason is said`() async throws {
            let (dev, _) = try await MusterDev.shared.running()
            let program = try await BackgroundProgram([
                MusterDev.executable("muster"), "serve", "--config", dev.state + "/muster.yaml",
                "--set", "database.url=postgresql://muster_server@/muster?host=/nowhere",
                "--set", "est.listen=127.0.0.1:0", "--set", "public.listen=127.0.0.1:0", "--set",
                "operator.listen=127.0.0.1:0", "--set", "metrics.listen=127.0.0.1:0",
            ])
            #expect(try await program.end(withinSeconds: 90) == 1)
            let last = program.log.split(separator: "\n").last ?? ""
            #expect(last.hasPrefix("muster: ") && last.contains("/nowhere"), "\(last)")
        }

        @Test func `a port that is taken stops it with a sentence that names it`() async throws {
            let (dev, document) = try await MusterDev.shared.running()
            let taken = document.urls.est.replacing("https://localhost:", with: "127.0.0.1:")
            let program = try await BackgroundProgram([
                MusterDev.executable("muster"), "serve", "--config", dev.state + "/muster.yaml",
                "--set", "est.listen=\(taken)", "--set", "public.listen=127.0.0.1:0", "--set",
                "operator.listen=127.0.0.1:0", "--set", "metrics.listen=127.0.0.1:0",
            ])
            #expect(try await program.end(withinSeconds: 90) == 1)
            let last = program.log.split(separator: "\n").last ?? ""
            #expect(last.hasPrefix("muster: ") && last.contains("in use"), "\(program.log.suffix(1_000))")
        }

        @Test func `SIGTERM ends it with status 0, though a connection is held`() async throws {
            let (dev, document) = try await MusterDev.shared.running()
            let replica = try await Replica(config: dev.state + "/muster.yaml")
            let held = try await Self.heldConnection(to: replica.est, root: document.files.root)
            replica.program.signal(SIGTERM)
            #expect(try await replica.program.end(withinSeconds: 60) == 0, "\(replica.program.log.suffix(2_000))")
            held.signal(SIGTERM)
        }

        @Test func `a second replica serves the same fleet from the same record`() async throws {
            let (dev, document) = try await MusterDev.shared.running()
            let replica = try await Replica(config: dev.state + "/muster.yaml")
            let device = try await SystemDevice(document)
            let first = try await device.enroll()
            let second = try await device.enroll(at: replica.est)
            #expect(first.status == 200 && second.status == 200)
            #expect(first.body == second.body)
            try await SystemDevice(document).enrolled(at: replica.est)
            replica.program.signal(SIGTERM)
            #expect(try await replica.program.end(withinSeconds: 60) == 0)
        }

        @Test func `an anchor that the record gains is accepted without a restart`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let folder = try TemporaryDirectory(prefix: "manchor")
            try await Shell.run(
                """
                cd "$1"; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -keyout ca.key \
                    -out ca.pem -subj '/O=Other Devices/CN=Other Manufacturer' \
                    -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
                """,
                folder.path
            )
            let device = try await SystemDevice(
                document,
                manufacturer: (certificate: folder.path + "/ca.pem", key: folder.path + "/ca.key")
            )
            #expect(try await device.enroll().status != 200)
            let der = try await Shell.run(
                "openssl x509 -in \"$1\" -outform DER | od -An -v -tx1 | tr -d ' \\n'",
                folder.path + "/ca.pem"
            )
            try await RecordProbe(document).query(
                """
                insert into anchors (fleet_id, name, certificate, device_id_rule)
                select id, 'other-manufacturer', decode('\(der)', 'hex'), 'subject-serial-number' from fleets
                where name = 'demo';
                select pg_notify('muster_fleets', '')
                """
            )
            try await Eventually.holds("the device's certificate") { try await device.enroll().status == 200 }
        }

        @Test func `SIGHUP shows a replaced certificate to new connections, and held ones go on`() async throws {
            let (dev, document) = try await MusterDev.shared.running()
            let folder = try TemporaryDirectory(prefix: "mreload")
            let pki = dev.state + "/pki"
            try await Shell.run("cp \"$2/est.pem\" \"$2/est.key\" \"$1\"", folder.path, pki)
            let replica = try await Replica(
                config: dev.state + "/muster.yaml",
                options: [
                    "--set", "est.certificateFile=\(folder.path)/est.pem", "--set",
                    "est.keyFile=\(folder.path)/est.key",
                ]
            )
            let root = document.files.root
            let before = try await Self.serial(of: replica.est, root: root)
            let held = try await Self.heldConnection(to: replica.est, root: root)

            try await Shell.run(Self.replaceCertificate, folder.path, pki)
            let issued = try await Shell.run("openssl x509 -in \"$1/est.pem\" -noout -serial", folder.path)
            #expect(issued != before)
            replica.program.signal(SIGHUP)
            try await Eventually.holds("the new certificate") {
                try await Self.serial(of: replica.est, root: root) == issued
            }
            // The held connection asks once more, now that the certificate is another.
            held.signal(SIGUSR1)
            try await Eventually.holds("the held connection's second answer: \(held.log.prefix(300))") {
                held.log.matches(of: /HTTP\/1\.1 200/).count == 2
            }
            held.signal(SIGTERM)

            // A certificate that does not fit its key is refused, and all stays as it was.
            try await Shell.run("cp \"$2/broker.key\" \"$1/est.key\"", folder.path, pki)
            replica.program.signal(SIGHUP)
            try await Eventually.holds("the refusal's log line") {
                replica.program.log.contains("not reloaded; all stays as it was")
            }
            #expect(try await Self.serial(of: replica.est, root: root) == issued)
            replica.program.signal(SIGTERM)
            #expect(try await replica.program.end(withinSeconds: 60) == 0)
        }

        /// A connection that has asked for /cacerts once, and asks once more at SIGUSR1. Its log is what it heard.
        private static func heldConnection(to est: String, root: String) async throws -> BackgroundProgram {
            let program = try await BackgroundProgram([
                "bash", "-c",
                """
                ask() {
                    printf 'GET /.well-known/est/demo/cacerts HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' >&"${TLS[1]}"
                }
                coproc TLS {
                    exec openssl s_client -quiet -connect "$1" -servername localhost -CAfile "$2" 2>/dev/null
                }
                exec 3<&"${TLS[0]}"
                trap ask USR1
                trap 'kill $TLS_PID; exit 0' TERM
                ask
                cat <&3 &
                while :; do wait; done
                """,
                "held", est.replacing("https://", with: ""), root,
            ])
            try await Eventually.holds("the first answer") { program.log.contains("HTTP/1.1 200") }
            return program
        }

        private static func serial(of est: String, root: String) async throws -> String {
            try await Shell.run(
                """
                openssl s_client -connect "$1" -servername localhost -CAfile "$2" -verify_return_error </dev/null \
                    2>/dev/null | openssl x509 -noout -serial
                """,
                est.replacing("https://", with: ""),
                root
            )
        }

        /// Another certificate for localhost by the same root, with another key.
        private static let replaceCertificate = """
            cd "$1"
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout next.key -out next.csr \
                -subj /CN=localhost 2>/dev/null
            printf '%s\\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature \
                extendedKeyUsage=serverAuth subjectAltName=DNS:localhost,IP:127.0.0.1 > next.ext
            openssl x509 -req -in next.csr -CA "$2/root.pem" -CAkey "$2/root.key" -days 30 -extfile next.ext \
                -out next.pem 2>/dev/null
            mv next.pem est.pem; mv next.key est.key
            """
    }
}
