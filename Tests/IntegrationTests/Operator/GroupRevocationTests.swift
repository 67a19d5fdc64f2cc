import Foundation
import TestPeers
import Testing

extension OperatorTests {
    /// An operator revokes many devices by one command.
    struct GroupRevocationTests {
        private static let claimants = 12

        /// A fleet in which a claim certificate, `leaked`, let in a dozen devices, and two came by their own.
        private static func enrolled() async throws -> OperatedFleet {
            let fleet = try await OperatedFleet(policy: "open")
            try await fleet.makeClaim("leaked")
            for number in 1...claimants {
                try await fleet.makeClaimant("claimed-\(number)")
                try await fleet.bench.save(
                    try await fleet.enroll("claimed-\(number)", as: "leaked"),
                    as: "claimed-\(number)-op"
                )
            }
            for device in ["own-1", "own-2"] {
                try await fleet.makeDevice(device)
                try await fleet.bench.save(try await fleet.enroll(device), as: "\(device)-op")
            }
            return fleet
        }

        private static func states(_ fleet: OperatedFleet) async throws -> [String: Int] {
            let shown = try await fleet.muster("device", "list", "--fleet", fleet.name, "--json")
            let devices = try #require(try JSONSerialization.jsonObject(with: Data(shown.utf8)) as? [[String: Any]])
            return Dictionary(grouping: devices.compactMap { $0["state"] as? String }) { $0 }.mapValues(\.count)
        }

        private static func audited(_ fleet: OperatedFleet) async throws -> Int {
            let record = RecordProbe(fleet.bench.document)
            let count = try await record.query(
                "select count(*) from audit where action = 'device.revoked' and subject like '%@\(fleet.name)'"
            )
            return try #require(Int(count))
        }

        @Test func `all that a leaked claim let in is revoked, each once, and nobody else`() async throws {
            let fleet = try await Self.enrolled()
            let credential = try await fleet.fingerprint("leaked")
            let wanted = ["revoke", "--fleet", fleet.name, "--credential", credential, "--reason", "keyCompromise"]

            let careless = try await fleet.command(wanted)
            #expect(careless.exitStatus == 64 && careless.errorOutput.contains("--dry-run"))
            let plan = try await fleet.command(wanted + ["--dry-run"])
            #expect(
                plan.text.hasPrefix("12 devices would be revoked, 12 of them with a valid certificate; 0 are already")
            )
            #expect(plan.text.contains("the first of them by name:\n  DEVICE"), "\(plan.text)")
            #expect(plan.text.contains("\n  claimed-10 ") && plan.text.contains("--confirm 12"))
            let wrong = try await fleet.command(wanted + ["--confirm", "11"])
            #expect(!wrong.succeeded && wrong.errorOutput.contains("it would be 12 devices now, not 11"))
            #expect(try await Self.states(fleet) == ["valid": 14])

            // As if a run had been broken off after some of them: it goes on with the others.
            try await fleet.muster(
                "revoke",
                "--fleet",
                fleet.name,
                "--prefix",
                "claimed-1",
                "--confirm",
                "4",
                "--reason",
                "keyCompromise"
            )
            #expect(try await Self.states(fleet) == ["valid": 10, "revoked": 4])
            let rest = try await fleet.command(wanted + ["--confirm", "8", "--wait"])
            #expect(
                rest.text
                    == "8 devices are revoked; 4 were already\nall that is to refuse them has all of them\n",
                "\(rest.errorOutput)"
            )
            #expect(try await Self.states(fleet) == ["valid": 2, "revoked": 12])
            #expect(
                try await fleet.command(wanted + ["--confirm", "0"]).text == "0 devices are revoked; 12 were already\n"
            )
            #expect(try await Self.audited(fleet) == Self.claimants)

            for (device, status) in [("claimed-7", 403), ("own-1", 200)] {
                try await fleet.bench.sh("cp \"$1-op.key\" renewed.key", device)
                try await fleet.bench.makeRenewal("renewed", of: "\(device)-op")
                let answer = try await fleet.bench.curl(
                    "/.well-known/est/\(fleet.name)/simplereenroll",
                    as: "\(device)-op",
                    ["-H", "Content-Type: application/pkcs10", "--data-binary", "@" + fleet.bench.path("renewed.b64")]
                )
                #expect(answer.status == status, "\(device)")
            }
        }

        @Test
        func `a dry run tells who was seen lately, who else came by the claim, and that it is open until it is closed`()
            async throws
        {
            let fleet = try await Self.enrolled()
            let credential = try await fleet.fingerprint("leaked")
            let wanted = ["revoke", "--fleet", fleet.name, "--dry-run"]
            let all = try await fleet.command(wanted + ["--credential", credential]).text
            #expect(all.contains("12 of them were seen in the last 5 minutes"), "\(all)")
            #expect(all.contains("anchor batch) let in 12 of these, and no other device of the fleet\n"), "\(all)")
            let part = try await fleet.command(wanted + ["--prefix", "claimed-1"]).text
            #expect(part.contains("let in 4 of these, and 8 other devices of the fleet, which would stay\n"), "\(part)")
            let own = try await fleet.command(wanted + ["--anchor", "factory"]).text
            #expect(own.hasPrefix("2 devices") && !own.contains("let in"), "an IDevID is one device's: \(own)")

            let line = try #require(part.split(separator: "\n").first { $0.contains("it is open for new devices") })
            let command = try #require(line.split(separator: ": ").last)
            #expect(command == "muster credential block \(credential) --fleet \(fleet.name)")
            try await fleet.paste(String(command))
            let json = try await fleet.command(wanted + ["--prefix", "claimed-1", "--json"]).text
            let shown = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            let told = try #require((shown["credentials"] as? [[String: Any]])?.first)
            #expect(told["sha256"] as? String == credential && told["isOpen"] as? Bool == false)
            #expect((told["refusal"] as? [String: Any])?["reason"] as? String == "credential-blocked")
            let closed = try await fleet.command(wanted + ["--prefix", "claimed-1"]).text
            #expect(closed.contains("it is closed: an operator blocked this bootstrap credential"), "\(closed)")
            #expect(try await Self.states(fleet) == ["valid": 14], "a dry run does nothing")
        }

        @Test func `devices are chosen by anchor, state, time and file, and a name too many stops all`() async throws {
            let fleet = try await Self.enrolled()
            func plan(_ options: String...) async throws -> String {
                let result = try await fleet.command(["revoke", "--fleet", fleet.name, "--dry-run"] + options)
                return result.succeeded ? String(result.text.prefix { $0 != " " }) : result.errorOutput
            }
            #expect(try await plan("--all") == "14")
            #expect(try await plan("--anchor", "factory") == "2")
            #expect(try await plan("--anchor", "batch", "--prefix", "claimed-1", "--state", "valid") == "4")
            #expect(try await plan("--enrolled-until", "2020-01-01T00:00:00Z") == "0")
            #expect(try await plan("--used-from", "2020-01-01T00:00:00Z") == "0")
            #expect(try await plan("--used-until", "2020-01-01T00:00:00Z", "--issuer", "dev") == "14")
            #expect(try await plan("--seen-from", "2020-01-01T00:00:00Z") == "14")
            #expect(try await plan("--seen-until", "2020-01-01T00:00:00Z") == "0")
            #expect(try await plan("--issuer", "nobody") == "0")
            #expect(try await plan("--used-from", "yesterday").contains("2027-01-31T12:00:00Z"))
            #expect(try await plan("--state", "odd").contains("valid, expired, held, revoked, cleared"))
            #expect(try await plan("--prefix", "a", "--credential", "b").contains("choose one"))

            try fleet.bench.write("lost", "own-1 # of the lorry\n\nclaimed-2\nown-1\n# none\n".utf8)
            let file = fleet.bench.path("lost")
            #expect(try await plan("--file", file) == "2")
            #expect(try await plan("--file", file, "--all").contains("--file stands alone"))
            try await fleet.muster("revoke", "--fleet", fleet.name, "--file", file, "--confirm", "2", "--hold")
            #expect(try await Self.states(fleet) == ["valid": 12, "held": 2])
            #expect(try await plan("--all", "--hold") == "12")
            #expect(try await plan("--all") == "14", "a hold may become anything")

            try fleet.bench.write("lost", "own-2\nnobody\n".utf8)
            #expect(try await plan("--file", file).contains("1 of 2 names are no device's"))
            let unknown = try await fleet.command(["revoke", "--fleet", fleet.name, "--file", file, "--confirm", "2"])
            #expect(!unknown.succeeded && unknown.errorOutput.contains("1 of 2 names are no device's"))
            #expect(unknown.errorOutput.contains("nobody: "), "\(unknown.errorOutput)")
            #expect(try await Self.states(fleet) == ["valid": 12, "held": 2])
        }
    }
}
