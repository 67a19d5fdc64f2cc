import Foundation
import TestPeers
import Testing

extension OperatorTests {
    /// An operator revokes a device by a command, and the device meets it over EST, and the fleet over MQTT.
    struct RevocationTests {
        /// A fleet with one device, whose certificate is in unit-op.pem.
        private static func enrolled(reenrollment: String = "approval") async throws -> OperatedFleet {
            let fleet = try await OperatedFleet(policy: "open")
            let text = String(decoding: try fleet.bench.read("fleet.yaml"), as: UTF8.self)
            let lines = text.replacing("policy: open", with: "policy: open\nreenrollment: \(reenrollment)")
            try fleet.bench.write("fleet.yaml", lines.utf8)
            try await fleet.muster("fleet", "apply", fleet.bench.path("fleet.yaml"))
            try await fleet.makeDevice("unit")
            try await fleet.bench.save(try await fleet.enroll("unit"), as: "unit-op")
            return fleet
        }

        /// The device's answer to a renewal with the certificate that it has, under the same key.
        private static func renewal(_ fleet: OperatedFleet) async throws -> Workbench.Answer {
            try await fleet.bench.sh("cp unit-op.key renewed.key")
            try await fleet.bench.makeRenewal("renewed", of: "unit-op")
            return try await fleet.bench.curl(
                "/.well-known/est/\(fleet.name)/simplereenroll",
                as: "unit-op",
                ["-H", "Content-Type: application/pkcs10", "--data-binary", "@" + fleet.bench.path("renewed.b64")]
            )
        }

        private static func state(_ fleet: OperatedFleet) async throws -> String? {
            let shown = try await fleet.muster("device", "show", "unit", "--fleet", fleet.name, "--json")
            let object = try JSONSerialization.jsonObject(with: Data(shown.utf8)) as? [String: Any]
            return object?["state"] as? String
        }

        private static func newKey(_ fleet: OperatedFleet) async throws {
            try await fleet.bench.sh("key unit-op P-256; request unit-op /serialNumber=unit")
        }

        @Test func `a revoked device may not renew, on an open connection neither, and its fleet hears of it`()
            async throws
        {
            let fleet = try await Self.enrolled()
            try await fleet.bench.sh("cp unit-op.key renewed.key")
            try await fleet.bench.makeRenewal("renewed", of: "unit-op")
            var heard: [[UInt8]] = []
            let answers = try await fleet.postTwice("renewed", to: "simplereenroll", as: "unit-op") {
                heard = try await BrokerProbe(operatorOf: fleet.bench.document).messages(
                    ["muster/v1/fleets/\(fleet.name)/revocations"],
                    count: 1,
                    whenSubscribed: {
                        try await fleet.muster(
                            "revoke",
                            "unit",
                            "--fleet",
                            fleet.name,
                            "--reason",
                            "keyCompromise",
                            "--comment",
                            "its key is on the net"
                        )
                    }
                )
            }
            #expect(answers == "200\n403 certificate-revoked")
            let message = try JSONSerialization.jsonObject(with: Data(try #require(heard.first))) as? [String: Any]
            let words = ["device", "fleet", "state", "reason"].map { message?[$0] as? String }
            #expect(words == ["unit", fleet.name, "revoked", "keyCompromise"])
            #expect((message?["sequence"] as? Int ?? 0) > 0)
            #expect(try await Self.state(fleet) == "revoked")
            let shown = try await fleet.muster("device", "show", "unit", "--fleet", fleet.name)
            #expect(shown.contains("keyCompromise") && shown.contains("its key is on the net"))
            let certificates = try await fleet.muster("device", "certificates", "unit", "--fleet", fleet.name)
            #expect(certificates.contains("revoked") && !certificates.contains("valid "))
            // Its bootstrap credential does not bring the old key back.
            let refused = try await fleet.enroll("unit")
            #expect(refused.reason == "certificate-revoked")
            #expect(try await fleet.explanation(of: refused).contains("unit"))
        }

        @Test func `a revocation that is waited for tells each stage, and the device's history who did it and why`()
            async throws
        {
            let fleet = try await Self.enrolled()
            let told = try await fleet.muster(
                "revoke",
                "unit",
                "--fleet",
                fleet.name,
                "--reason",
                "keyCompromise",
                "--comment",
                "lost with the van",
                "--wait"
            )
            let lines = told.split(separator: "\n")
            #expect(lines.first == "unit is revoked")
            for stage in ["committed", "ocsp", "crl dev/", "crl-complete dev", "published"] {
                #expect(lines.contains { $0.contains(" ms  \(stage)") }, "\(stage): \(told)")
            }
            // What is as it was is waited for again, and there is nothing to wait for.
            let again = try await fleet.muster("revoke", "unit", "--fleet", fleet.name, "--wait", "--json")
            let progress = try JSONSerialization.jsonObject(with: Data(again.utf8)) as? [String: Any]
            #expect(progress?["isComplete"] as? Bool == true && progress?["reason"] as? String == "keyCompromise")

            #expect(try await fleet.enroll("unit").reason == "certificate-revoked")
            let history = try await fleet.muster("device", "history", "unit", "--fleet", fleet.name)
            let events = history.split(separator: "\n").dropFirst()
            #expect(events.count == 3, "\(history)")
            #expect(events.first?.contains("refused") == true && events.first?.contains("certificate-revoked") == true)
            #expect(events.contains { $0.contains("device.revoked") && $0.contains("lost with the van") })
            #expect(events.last?.contains("issued") == true && events.last?.contains("open-first") == true)
            let nobody = try await fleet.command(["device", "history", "nobody", "--fleet", fleet.name])
            #expect(!nobody.succeeded && nobody.errorOutput.contains("nothing is known of a device nobody"))
        }

        @Test func `a device is found by a certificate or key that it had before, and what nobody has is named`()
            async throws
        {
            let fleet = try await Self.enrolled()
            let (key, serial) = (try await fleet.keyFingerprint("unit"), try await fleet.bench.serial("unit-op"))
            #expect(try await Self.renewal(fleet).status == 200)
            #expect(
                try await fleet.muster("revoke", "--serial", serial, "--fleet", fleet.name, "--hold").contains("unit")
            )
            #expect(try await Self.state(fleet) == "held")
            try await fleet.muster("device", "release", "unit", "--fleet", fleet.name)
            try await fleet.muster("revoke", "--key-sha256", key, "--fleet", fleet.name)
            #expect(try await Self.state(fleet) == "revoked")
            let other = String(repeating: "ab", count: 32)
            let unknown = try await fleet.command(["revoke", "--key-sha256", other, "--fleet", fleet.name])
            #expect(unknown.exitStatus == 1)
            #expect(unknown.errorOutput.contains("key \(other)"))
            let nobody = try await fleet.command(["revoke", "unit", "--serial", serial, "--fleet", fleet.name])
            #expect(nobody.exitStatus != 0 && nobody.errorOutput.contains("name one device"))
        }

        @Test func `a hold is refused everywhere and ends with a release, as if it had not been`() async throws {
            let fleet = try await Self.enrolled()
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name, "--hold")
            #expect(try await Self.state(fleet) == "held")
            let refused = try await Self.renewal(fleet)
            #expect(refused.status == 403)
            #expect(refused.reason == "device-held")
            let early = try await fleet.command(["device", "clear", "unit", "--fleet", fleet.name])
            #expect(early.exitStatus == 1)
            #expect(early.errorOutput.contains("on hold"))
            try await fleet.paste(try await fleet.remedy(of: refused))
            #expect(try await Self.state(fleet) == "valid")
            #expect(try await Self.renewal(fleet).status == 200)
        }

        @Test func `a revoked device comes back with a new key once an operator approves it`() async throws {
            let fleet = try await Self.enrolled()
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name)
            try await Self.newKey(fleet)
            #expect(try await fleet.enroll("unit").status == 202)
            let waiting = try await fleet.muster("approval", "show", "unit", "--fleet", fleet.name)
            #expect(waiting.contains("after it was revoked"))
            try await fleet.muster("approval", "approve", "unit", "--fleet", fleet.name)
            #expect(try await fleet.enroll("unit").status == 200)
            #expect(try await Self.state(fleet) == "valid")
        }

        @Test func `where it must be cleared first, a revoked device is refused until then`() async throws {
            let fleet = try await Self.enrolled(reenrollment: "after-clear")
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name)
            try await Self.newKey(fleet)
            let refused = try await fleet.enroll("unit")
            #expect(refused.status == 403)
            #expect(refused.reason == "device-revoked")
            try await fleet.paste(try await fleet.remedy(of: refused))
            #expect(try await Self.state(fleet) == "cleared")
            #expect(try await fleet.enroll("unit").status == 200)
        }

        @Test func `where it may never come back, clearing it does not help`() async throws {
            let fleet = try await Self.enrolled(reenrollment: "never")
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name, "--reason", "cessationOfOperation")
            try await Self.newKey(fleet)
            #expect(try await fleet.enroll("unit").reason == "device-revoked")
            try await fleet.muster("device", "clear", "unit", "--fleet", fleet.name, "--comment", "tried")
            #expect(try await fleet.enroll("unit").reason == "device-revoked")
        }
    }
}
