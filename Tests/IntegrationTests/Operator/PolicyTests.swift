import Foundation
import TestPeers
import Testing

/// Who may enroll, decided by an operator and met by devices over EST: each refusal that a policy, a registration, a limit
/// or a block makes is produced here by curl.
@Suite(.timeLimit(.minutes(10))) enum OperatorTests {
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
            let answers = try await fleet.postTwice("held-op", to: "simpleenroll", as: "held") {
                try await fleet.muster(what, "block", subject, "--fleet", fleet.name, "--comment", "stolen")
            }
            #expect(answers == "200\n403 \(what)-blocked")
            try await fleet.muster(what, "unblock", subject, "--fleet", fleet.name)
            #expect(try await fleet.enroll("held").status == 200)
        }

        @Test
        func `a manufacturer may replace its CA under the anchor's name, and another anchor may not take its devices`()
            async throws
        {
            let fleet = try await OperatedFleet(policy: "open")
            try await fleet.makeDevice("unit")
            #expect(try await fleet.enroll("unit").status == 200)
            try await fleet.bench.sh(
                """
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout next-ca.key -out next-ca.pem \
                    -days 30 -subj "/CN=Next Factory CA" -addext basicConstraints=critical,CA:TRUE \
                    -addext keyUsage=critical,keyCertSign 2>/dev/null
                rm unit.key unit.ext; credential unit next-ca.pem next-ca.key "/O=Example Devices/serialNumber=unit"
                key unit-op P-256; request unit-op /serialNumber=unit
                """
            )
            let text = String(decoding: try fleet.bench.read("fleet.yaml"), as: UTF8.self)
            let old = "certificateFile: \(fleet.bench.document.files.manufacturerCert)"
            let beside =
                text + "  - name: other\n    certificateFile: next-ca.pem\n    deviceID: subject-serial-number\n"
            try fleet.bench.write("fleet.yaml", beside.utf8)
            try await fleet.muster("fleet", "apply", fleet.bench.path("fleet.yaml"))
            #expect(try await fleet.enroll("unit").reason == "device-of-another-anchor")
            try fleet.bench.write("fleet.yaml", text.replacing(old, with: "certificateFile: next-ca.pem").utf8)
            try await fleet.muster("fleet", "apply", fleet.bench.path("fleet.yaml"))
            #expect(try await fleet.enroll("unit").status == 200)
        }

        @Test(arguments: [
            ("subject-common-name", "", "/CN=aa:bb:01", "aa-bb-01"),
            (
                "hardware-module-name", "subjectAltName=otherName:1.3.6.1.5.5.7.8.4;SEQ:hw", "/O=Example Devices",
                "HW-77"
            ),
            (
                "san-uri\n    uriPattern: \"urn:example:device:{id}\"", "subjectAltName=URI:urn:example:device:x-9",
                "/O=E", "x-9"
            ),
        ])
        func `the DeviceID is found where the anchor says`(
            rule: String,
            names: String,
            subject: String,
            device: String
        )
            async throws
        {
            let fleet = try await OperatedFleet(policy: "open")
            let text = String(decoding: try fleet.bench.read("fleet.yaml"), as: UTF8.self)
            let other = text.replacing("deviceID: subject-serial-number", with: "deviceID: \(rule)")
            try fleet.bench.write("fleet.yaml", other.utf8)
            try await fleet.muster("fleet", "apply", fleet.bench.path("fleet.yaml"))
            try await fleet.bench.sh(
                """
                printf '%s\\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' "$1" \
                    '[hw]' 'type=OID:1.3.6.1.4.1.99999.1' 'serial=FORMAT:ASCII,OCTETSTRING:HW-77' > d.ext
                idevid d "$2"; key d-op P-256; request d-op /
                """,
                names,
                subject
            )
            let answer = try await fleet.enroll("d")
            #expect(answer.status == 200, "\(answer.text)")
            let listed = try await fleet.muster("device", "list", "--fleet", fleet.name, "--json")
            #expect(listed.contains("\"\(device)\""))
        }

        @Test func `who waits for approval cannot fill the record`() async throws {
            let fleet = try await OperatedFleet(policy: "approval")
            try await RecordProbe(fleet.bench.document).query(
                """
                insert into approvals (fleet_id, device_id, key_sha256, kind, credential_sha256, source, requested_at)
                select f.id, 'w-' || n, sha256(n::text::bytea), 'first', sha256('c'), '::1', now()
                from fleets f, generate_series(1, 10000) n where f.name = '\(fleet.name)'
                """
            )
            try await fleet.makeDevice("late")
            let refused = try await fleet.enroll("late")
            #expect(refused.status == 403)
            #expect(refused.reason == "approval-queue-full")
            #expect(try await fleet.explanation(of: refused).contains("10000"))
        }
    }
}
