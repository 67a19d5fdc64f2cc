import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests {
    /// Webhooks, with a receiver that verifies what it gets by itself.
    @Suite struct WebhookTests {
        @Test func `what happens to a device is told in its order, signed, and each event is taken once`() async throws
        {
            let bed = try await WebhookBed()
            // The receiver is not well at first.
            try bed.answer("204", first: ["503", "500"])
            let server = try await bed.server()
            let device = try await SystemDevice(bed.document).enrolled(at: server.est)
            let fleet = bed.document.fleet
            try await bed.operate(server, "revoke", device.id, "--fleet", fleet, "--hold", "--comment", "found open")
            try await bed.operate(server, "device", "release", device.id, "--fleet", fleet)
            try await bed.operate(server, "revoke", device.id, "--fleet", fleet, "--reason", "keyCompromise")
            #expect(try await device.enroll(at: server.est).status == 403)
            try await Eventually.holds("five events") { try bed.taken.count >= 5 }
            #expect(
                try bed.taken.map(\.type) == [
                    "device.enrolled", "device.held", "device.released", "device.revoked", "enrollment.refused",
                ]
            )
            #expect(try bed.taken.allSatisfy { $0.data["device"] == device.id && $0.data["fleet"] == fleet })
            #expect(try bed.taken[1].data["comment"] == "found open" && bed.taken[3].data["reason"] == "keyCompromise")
            #expect(try bed.taken[4].data["reason"] == "certificate-revoked")

            let seen = try bed.seen
            #expect(seen.allSatisfy { $0.verdict == "signed" })
            #expect(seen.map(\.status).prefix(2) == ["503", "500"])
            // What was refused came again under its id, and nothing came once more after it was taken.
            #expect(Set(seen.prefix(3).map(\.message)).count == 1)
            #expect(try Set(bed.taken.map(\.message)).count == 5)
            try await Eventually.holds("nothing that waits") { try await bed.waiting() == "0" }
            let delivered = try await bed.metric(
                server,
                "muster_webhook_deliveries_total",
                "webhook=\"\(bed.webhook)\"",
                "outcome=\"delivered\""
            )
            #expect(delivered == 5)
            server.program.signal(SIGTERM)
            #expect(try await server.program.end(withinSeconds: 60) == 0)
        }

        @Test func `a server killed between commit and delivery loses nothing, and another one goes on`() async throws {
            let bed = try await WebhookBed()
            // The first delivery is under way when the server dies; the other event has perhaps only been committed.
            try bed.answer("hang")
            let server = try await bed.server()
            let first = try await SystemDevice(bed.document).enrolled(at: server.est)
            try await Eventually.holds("the first delivery") { try !bed.seen.isEmpty }
            let second = try await SystemDevice(bed.document).enrolled(at: server.est)
            #expect(try await bed.waiting() == "2")
            server.program.signal(SIGKILL)
            _ = try await server.program.end(withinSeconds: 30)
            try bed.answer("204")

            let other = try await bed.server()
            // After the dead one's hold of a minute.
            try await Eventually.holds("both events", seconds: 120) { try bed.taken.count >= 2 }
            #expect(try Set(bed.taken.map { $0.data["device"] }) == [first.id, second.id])
            let again = try #require(bed.taken.first { $0.data["device"] == first.id })
            #expect(try again.message == bed.seen[0].message)
            try await Eventually.holds("nothing that waits") { try await bed.waiting() == "0" }
            #expect(try bed.taken.count == 2)
            other.program.signal(SIGTERM)
            #expect(try await other.program.end(withinSeconds: 60) == 0)
        }

        @Test func `two servers share a webhook, and each event is sent once`() async throws {
            let bed = try await WebhookBed()
            let (one, other) = (try await bed.server(), try await bed.server())
            for place in 0..<6 {
                try await SystemDevice(bed.document).enrolled(at: place.isMultiple(of: 2) ? one.est : other.est)
            }
            try await Eventually.holds("six events") { try bed.taken.count >= 6 }
            try await Eventually.holds("nothing that waits") { try await bed.waiting() == "0" }
            #expect(try bed.seen.count == 6 && Set(bed.seen.map(\.message)).count == 6)
            for server in [one, other] { server.program.signal(SIGTERM) }
            for server in [one, other] { #expect(try await server.program.end(withinSeconds: 60) == 0) }
        }

        @Test func `over TLS only a receiver is told whose certificate is trusted, and no redirection is followed`()
            async throws
        {
            let bed = try await WebhookBed(hasTLS: true)
            #expect(try await bed.command("test", bed.webhook).succeeded)
            #expect(try bed.taken.map(\.type) == ["muster.test"])
            #expect(try bed.taken.first?.verdict == "signed")
            let stranger = try await bed.command(
                "test",
                bed.webhook,
                named: ["caFile": bed.document.files.manufacturerCert]
            )
            #expect(!stranger.succeeded && stranger.errorOutput.contains("no TLS"), "\(stranger.errorOutput)")
            try bed.answer("302")
            let moved = try await bed.command("test", bed.webhook)
            #expect(!moved.succeeded && moved.errorOutput.contains("answered 302"), "\(moved.errorOutput)")
            #expect(try bed.seen.count == 2)
        }

        @Test func `a receiver that answers 410 is told nothing more until an operator says so`() async throws {
            let bed = try await WebhookBed()
            try bed.answer("410")
            let server = try await bed.server(["events": "device.enrolled"])
            try await SystemDevice(bed.document).enrolled(at: server.est)
            try await Eventually.holds("the end") {
                try await bed.command("list").text.split(separator: "\n").contains {
                    $0.contains(bed.webhook) && $0.contains("wants no more since")
                }
            }
            try await SystemDevice(bed.document).enrolled(at: server.est)
            #expect(try await bed.waiting() == "1")
            try bed.answer("204")
            let retried = try await bed.command("retry", bed.webhook)
            #expect(retried.succeeded, "\(retried.errorOutput)")
            try await SystemDevice(bed.document).enrolled(at: server.est)
            try await Eventually.holds("what waited, and what came since") { try bed.taken.count == 2 }
            #expect(try await !bed.command("retry", "nobody").succeeded)
            server.program.signal(SIGTERM)
            #expect(try await server.program.end(withinSeconds: 60) == 0)
        }

        @Test func `SIGHUP takes a new secret, other events, fewer webhooks and more, and nothing if a secret is none`()
            async throws
        {
            let bed = try await WebhookBed()
            let server = try await bed.server(configuration: try bed.configure(["events": "device.enrolled"]))
            func seen(_ count: Int) async throws -> WebhookBed.Seen {
                try await Eventually.holds("\(count) events") { try bed.seen.count == count }
                return try bed.seen[count - 1]
            }
            func enroll() async throws -> SystemDevice {
                try await SystemDevice(bed.document).enrolled(at: server.est)
            }
            _ = try await enroll()
            #expect(try await seen(1).verdict == "signed")
            // The receiver knows the new one alone; the server signs with what it has read.
            try await bed.renewSecret()
            _ = try await enroll()
            #expect(try await seen(2).verdict == "forged")
            try await bed.reload(server)
            let device = try await enroll()
            #expect(try await seen(3).verdict == "signed")

            try bed.configure(["events": "device.enrolled, device.revoked"])
            try await bed.reload(server)
            let fleet = bed.document.fleet
            try await bed.operate(server, "revoke", device.id, "--fleet", fleet, "--reason", "keyCompromise")
            let revoked = try await seen(4)
            #expect(revoked.type == "device.revoked" && revoked.verdict == "signed")

            try await bed.withSecret("hunter2") {
                try await bed.reload(server, logs: "not reloaded; all stays as it was")
            }
            #expect(!server.program.log.contains("hunter2"))
            _ = try await enroll()
            #expect(try await seen(5).verdict == "signed")

            // Nothing is written for one that is told no more.
            try bed.configure(nil)
            try await bed.reload(server)
            _ = try await enroll()
            #expect(try await bed.waiting() == "0")
            try bed.configure([:])
            try await bed.reload(server)
            let last = try await enroll()
            #expect(try await seen(6).data["device"] == last.id)
            try await Eventually.holds("nothing that waits") { try await bed.waiting() == "0" }
            server.program.signal(SIGTERM)
            #expect(try await server.program.end(withinSeconds: 60) == 0)
        }

        @Test func `a secret that is none stops the server with the key's name, and is not repeated`() async throws {
            let bed = try await WebhookBed()
            let folder = try TemporaryDirectory(prefix: "mhook")
            let file = try folder.write("secret", "hunter2\n".utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            let result = try await bed.command("test", bed.webhook, named: ["secretFile": file])
            #expect(!result.succeeded && result.errorOutput.contains("webhooks.0.secretFile"), "\(result.errorOutput)")
            #expect(!result.errorOutput.contains("hunter2"))
        }
    }
}
