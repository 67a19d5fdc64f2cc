import Foundation
import TestPeers
import Testing

/// Who may enroll, decided by an operator and met by devices over EST: each refusal that a policy, a registration, a limit
/// or a block makes is produced here by curl.
@Suite(.timeLimit(.minutes(3))) enum OperatorTests {
    struct PolicyTests {
        @Test func `a device that is not registered is refused, explained, and let in by the command that is named`()
            async throws
        {
            let fleet = try await OperatedFleet(policy: "allowlist")
            try await fleet.makeDevice("meter-1")
            let refused = try await fleet.enroll("meter-1")
            #expect(refused.status == 403)
            #expect(refused.reason == "device-not-registered")

            let words = try await fleet.explanation(of: refused)
            #expect(words.contains("meter-1"))
            #expect(words.contains("device-not-registered"))
            #expect(words.contains(try await fleet.fingerprint("meter-1")))
            try await fleet.paste(try await fleet.remedy(of: refused))

            #expect(try await fleet.enroll("meter-1").status == 200)
        }

        @Test func `a registration holds a device to its key`() async throws {
            let fleet = try await OperatedFleet(policy: "allowlist")
            try await fleet.makeDevice("pinned")
            let other = String(repeating: "ab", count: 32)
            try await fleet.muster("registration", "add", "pinned", "--fleet", fleet.name, "--key-sha256", other)
            let refused = try await fleet.enroll("pinned")
            #expect(refused.status == 403)
            #expect(refused.reason == "key-not-registered")
            #expect(try await fleet.explanation(of: refused).contains(other))
            let key = try await fleet.keyFingerprint("pinned")
            try await fleet.muster("registration", "add", "pinned", "--fleet", fleet.name, "--key-sha256", key)
            #expect(try await fleet.enroll("pinned").status == 200)
        }

        @Test func `a registration holds a device to its IDevID, and no claim will do instead`() async throws {
            let fleet = try await OperatedFleet(policy: "open")
            try await fleet.makeDevice("pinned")
            let own = try await fleet.fingerprint("pinned")
            try await fleet.muster("registration", "add", "pinned", "--fleet", fleet.name, "--idevid-sha256", own)
            try await fleet.makeClaim("claim")
            let claimed = try await fleet.enroll("pinned", as: "claim")
            #expect(claimed.status == 403)
            try await fleet.makeClaimant("pinned")
            let refused = try await fleet.enroll("pinned", as: "claim")
            #expect(refused.reason == "idevid-not-registered")
            try await fleet.makeDevice("pinned")
            #expect(try await fleet.enroll("pinned").reason == "idevid-not-registered", "another IDevID of that name")
        }

        @Test func `a device waits until an operator approves, and then the same request is answered (EST-27)`()
            async throws
        {
            let fleet = try await OperatedFleet(policy: "approval")
            try await fleet.makeDevice("waits")
            let first = try await fleet.enroll("waits")
            #expect(first.status == 202)
            #expect(first.headers["retry-after"] == "1")
            #expect(try await fleet.enroll("waits").status == 202, "it goes on waiting")
            let waiting = try await fleet.muster("approval", "list", "--fleet", fleet.name, "--json")
            #expect(waiting.contains("\"waits\""))
            try await fleet.muster("approval", "approve", "waits", "--fleet", fleet.name, "--comment", "seen it")
            #expect(try await fleet.enroll("waits").status == 200)
            #expect(try await fleet.enroll("waits").status == 200, "the same bytes again")
        }

        @Test func `a device that an operator rejects is refused`() async throws {
            let fleet = try await OperatedFleet(policy: "approval")
            try await fleet.makeDevice("unwanted")
            #expect(try await fleet.enroll("unwanted").status == 202)
            try await fleet.muster("approval", "reject", "unwanted", "--fleet", fleet.name)
            let refused = try await fleet.enroll("unwanted")
            #expect(refused.status == 403)
            #expect(refused.reason == "approval-rejected")
        }

        @Test(arguments: [
            ("credentialLimits: {devices: 2}", "credential-device-limit"),
            ("credentialLimits: {devicesPerHour: 2}", "credential-rate-limit"),
            ("limits: {devices: 2}", "anchor-device-limit"),
            ("limits: {devicesPerHour: 2}", "anchor-rate-limit"),
        ])
        func `over a limit a device is refused, and the credential is marked`(
            limit: String,
            reason: String
        )
            async throws
        {
            let fleet = try await OperatedFleet(policy: "open", claim: [limit])
            try await fleet.makeClaim("claim")
            for number in 1...3 { try await fleet.makeClaimant("unit-\(number)") }
            #expect(try await fleet.enroll("unit-1", as: "claim").status == 200)
            #expect(try await fleet.enroll("unit-2", as: "claim").status == 200)
            let refused = try await fleet.enroll("unit-3", as: "claim")
            #expect(refused.status == 403)
            #expect(refused.reason == reason)
            #expect(try await fleet.enroll("unit-1", as: "claim").status == 200, "who is in stays in")

            let credential = try await fleet.fingerprint("claim")
            let marked = try await fleet.muster("credential", "list", "--fleet", fleet.name, "--marked", "--json")
            #expect(marked.contains(credential))
            #expect(marked.contains(reason))
            try await fleet.apply(policy: "open")
            try await fleet.muster("credential", "clear", credential, "--fleet", fleet.name)
            #expect(try await fleet.enroll("unit-3", as: "claim").status == 200)
            let cleared = try await fleet.muster("credential", "list", "--fleet", fleet.name, "--marked", "--json")
            #expect(!cleared.contains(credential))
        }

        @Test func `limits of a credential's own come before its anchor's`() async throws {
            let fleet = try await OperatedFleet(policy: "open", claim: ["credentialLimits: {devices: 1}"])
            try await fleet.makeClaim("claim")
            for number in 1...2 { try await fleet.makeClaimant("unit-\(number)") }
            #expect(try await fleet.enroll("unit-1", as: "claim").status == 200)
            #expect(try await fleet.enroll("unit-2", as: "claim").reason == "credential-device-limit")
            let credential = try await fleet.fingerprint("claim")
            try await fleet.muster("credential", "limit", credential, "--fleet", fleet.name, "--devices", "2")
            #expect(try await fleet.enroll("unit-2", as: "claim").status == 200)
        }

        @Test(arguments: ["limits", "credentialLimits"])
        func `outside its window of time nobody gets in`(whose: String) async throws {
            let fleet = try await OperatedFleet(
                policy: "open",
                factory: ["\(whose): {validUntil: 2020-01-01T00:00:00Z}"]
            )
            try await fleet.makeDevice("late")
            let refused = try await fleet.enroll("late")
            #expect(refused.status == 403)
            #expect(refused.reason == "outside-validity-window")
        }

        @Test func `an enrolled device with another key waits, is refused or replaced as its anchor says`()
            async throws
        {
            let fleet = try await OperatedFleet(
                policy: "open",
                factory: ["keyChange: approve"],
                claim: ["keyChange: replace"]
            )
            try await fleet.makeDevice("changes")
            #expect(try await fleet.enroll("changes").status == 200)
            try await fleet.bench.sh("key changes-op P-256; request changes-op /serialNumber=changes")
            #expect(try await fleet.enroll("changes").status == 202)
            try await fleet.muster("approval", "approve", "changes", "--fleet", fleet.name)
            #expect(try await fleet.enroll("changes").status == 200)

            try await fleet.makeClaim("claim")
            try await fleet.makeClaimant("unit")
            #expect(try await fleet.enroll("unit", as: "claim").status == 200)
            try await fleet.makeClaimant("unit")
            #expect(try await fleet.enroll("unit", as: "claim").status == 200)

            try await fleet.apply(policy: "open", factory: ["keyChange: refuse"])
            try await fleet.bench.sh("key changes-op P-256; request changes-op /serialNumber=changes")
            #expect(try await fleet.enroll("changes").reason == "device-has-another-key")
        }

        @Test(arguments: ["credential", "anchor"])
        func `a block holds from the next request on, on open connections too`(what: String) async throws {
            let fleet = try await OperatedFleet(policy: "open")
            try await fleet.makeDevice("held")
            let credential = try await fleet.fingerprint("held")
            let subject = what == "anchor" ? "factory" : credential
            // Python keeps one connection open between the two requests, and waits for a line in between.
            try fleet.bench.write("twice.py", Self.twice.utf8)
            let signal = fleet.bench.path("go")
            try await fleet.bench.sh("mkfifo go")
            async let answers = fleet.bench.sh(
                "python3 twice.py \"$AUTHORITY\" \"$1\" \"$ROOT\" held.pem held.key held-op.b64 go",
                "/.well-known/est/\(fleet.name)/simpleenroll"
            )
            try await Eventually.holds("the first answer") {
                FileManager.default.fileExists(atPath: fleet.bench.path("first"))
            }
            try await fleet.muster(what, "block", subject, "--fleet", fleet.name, "--comment", "stolen")
            try await fleet.bench.sh("echo > \"$1\"", signal)
            #expect(try await answers == "200\n403 \(what)-blocked")
            try await fleet.muster(what, "unblock", subject, "--fleet", fleet.name)
            #expect(try await fleet.enroll("held").status == 200)
        }

        private static let twice = """
            import http.client, ssl, sys
            authority, path, root, cert, key, body, fifo = sys.argv[1:]
            context = ssl.create_default_context(cafile=root)
            context.load_cert_chain(cert, key)
            connection = http.client.HTTPSConnection(authority, context=context, timeout=60)
            def post():
                connection.request("POST", path, open(body, "rb").read(), {"Content-Type": "application/pkcs10"})
                answer = connection.getresponse()
                text = answer.read().decode()
                return str(answer.status) + ("" if answer.status == 200 else " " + text.split(":")[0])
            print(post())
            socket = connection.sock
            open("first", "w").close()
            open(fifo).readline()
            print(post())
            assert connection.sock is socket, "the connection was not kept"
            """
    }
}
