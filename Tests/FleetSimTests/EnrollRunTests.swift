import ArgumentParser
import Foundation
import Synchronization
import TestPeers
import Testing

@testable import fleetsim

/// The devices that have come to a server.
private final class Arrivals: Sendable {
    private let names = Mutex<Set<String>>([])

    /// How many there are, with this one.
    func count(_ deviceID: String) -> Int {
        names.withLock { names in
            names.insert(deviceID)
            return names.count
        }
    }
}

/// `muster-sim enroll` against a server whose answers the test decides.
@Suite struct `A run` {
    /// Runs the command to its end.
    /// - Returns: Its report, and the status that it ended with.
    private func run(_ server: ScriptedEST, _ options: [String]) async throws -> (report: Report, status: Int32) {
        let dev = try server.workshop.dev(port: server.port)
        let json = server.workshop.folder.path + "/report.json"
        let arguments = ["--dev", dev, "--json", json] + options
        var status: Int32 = 0
        do {
            try await EnrollCommand.parse(arguments).run()
        } catch let code as ExitCode {
            status = code.rawValue
        }
        let report = try JSONDecoder().decode(Report.self, from: Data(server.workshop.folder.read("report.json")))
        return (report, status)
    }

    @Test func `reports a device that is answered 202 as pending, and does not ask again`() async throws {
        try await ScriptedEST.with { _, _ in
            .wait("1")
        } _: { server in
            let (report, status) = try await run(server, ["--devices", "3"])
            #expect(report.outcomes == ["pending": 3])
            #expect(report.counts == ["pending": 3])
            #expect(status == ExitCode.failure.rawValue)
            #expect(server.requests.count == 3)
            #expect(report.stages["approval"] == nil)
        }
    }

    @Test func `sends the same request again when Retry-After says, on a connection of its own`() async throws {
        try await ScriptedEST.with { _, attempt in
            attempt < 3 ? .wait("1") : .issue
        } _: { server in
            let (report, status) = try await run(server, ["--devices", "1", "--wait", "30"])
            #expect(report.outcomes == ["enrolled": 1])
            #expect(status == 0)
            let requests = server.requests
            try #require(requests.count == 3)
            #expect(Set(requests.map(\.body)).count == 1)
            #expect(Set(requests.map(\.connection)).count == 3)
            #expect(Set(requests.map(\.credential)).count == 1)
            for (first, second) in zip(requests, requests.dropFirst()) {
                #expect(second.at - first.at >= .seconds(1))
            }
            let approval = try #require(report.stages["approval"])
            #expect(approval.count == 1)
            #expect(approval.p50Milliseconds >= 2000 && approval.p99Milliseconds >= approval.p50Milliseconds)
        }
    }

    @Test func `lets all devices wait at once, however few may be on their way`() async throws {
        let arrived = Arrivals()
        // Nobody is let in before all have come once.
        try await ScriptedEST.with { deviceID, _ in
            arrived.count(deviceID) < 8 ? .wait("1") : .issue
        } _: { server in
            let (report, _) = try await run(server, ["--devices", "8", "--concurrency", "1", "--wait", "60"])
            #expect(report.outcomes == ["enrolled": 8])
        }
    }

    @Test func `ends as pending rather than ask sooner than Retry-After says`() async throws {
        try await ScriptedEST.with { _, attempt in
            .wait(attempt == 1 ? "1" : "60")
        } _: { server in
            let (report, _) = try await run(server, ["--devices", "1", "--wait", "20"])
            #expect(report.outcomes == ["pending": 1])
            #expect(server.requests.count == 2)
            #expect(report.stages["approval"]?.count == 1)
        }
    }

    @Test func `counts a rejection after a wait by its reason, with the time it took`() async throws {
        try await ScriptedEST.with { _, attempt in
            attempt == 1 ? .wait("1") : .refuse(403, "approval-rejected")
        } _: { server in
            let (report, _) = try await run(server, ["--devices", "2", "--wait", "20"])
            #expect(report.counts == ["approval-rejected": 2])
            #expect(report.reasons == ["403 approval-rejected": 2])
            #expect(report.stages["approval"]?.count == 2)
        }
    }

    @Test func `succeeds only with exactly the counts that --expect names`() async throws {
        try await ScriptedEST.with { deviceID, _ in
            deviceID.hasSuffix("1") ? .refuse(403, "credential-device-limit") : .issue
        } _: { server in
            let devices = ["--devices", "10"]
            let met = try await run(server, devices + ["--expect", "issued=9,credential-device-limit=1"])
            #expect(met.status == 0)
            #expect(met.report.text.contains("as expected: credential-device-limit=1,issued=9"))
            let missed = try await run(server, devices + ["--expect", "issued=8,credential-device-limit=2"])
            #expect(missed.status == ExitCode.failure.rawValue)
            #expect(missed.report.text.contains("credential-device-limit=1,issued=9 came"))
            #expect(try await run(server, devices).status == ExitCode.failure.rawValue)
        }
    }

    @Test func `enrolls into the fleet that --fleet names, else into that of dev.json`() async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            _ = try await run(server, ["--devices", "1"])
            let (report, _) = try await run(server, ["--devices", "1", "--fleet", "other-1"])
            #expect(server.requests.map(\.label) == ["lab", "other-1"])
            #expect(report.fleet == "other-1")
        }
    }

    @Test func `spreads its devices over the claims that it makes, and reports them by claim`() async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            let authority = try server.workshop.write(server.workshop.claimAuthority, "claim-ca")
            let claims = ["--claim-ca-cert", authority.certificate, "--claim-ca-key", authority.key, "--claims", "3"]
            let (report, status) = try await run(server, ["--devices", "10", "--identity", "claim"] + claims)
            #expect(status == 0)
            let seen = Dictionary(grouping: server.requests) { $0.credential }.mapValues(\.count)
            #expect(seen.values.sorted() == [3, 3, 4])
            let reported = try #require(report.claims).map { ($0.sha256, $0.counts["issued"] ?? 0) }
            #expect(Dictionary(uniqueKeysWithValues: reported) == seen)
        }
    }

    @Test func `plays the devices of another manufacturer and of another claim`() async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            // The workshop's own CAs under other file names: dev.json's must not be looked at.
            let manufacturer = try server.workshop.write(server.workshop.manufacturer, "other")
            let own = ["--manufacturer-cert", manufacturer.certificate, "--manufacturer-key", manufacturer.key]
            #expect(try await run(server, ["--devices", "1"] + own).status == 0)
            let batch = try Workshop.make("batch", isAuthority: false, by: server.workshop.claimAuthority)
            let claim = try server.workshop.write(batch, "batch")
            let options = ["--identity", "claim", "--claim-cert", claim.certificate, "--claim-key", claim.key]
            let (report, status) = try await run(server, ["--devices", "2"] + options)
            #expect(status == 0)
            #expect(server.requests.last?.credential == report.claims?.first?.sha256)
        }
    }

    @Test func `comes back with the same keys and IDevIDs from a folder of identities`() async throws {
        try await ScriptedEST.with { _, attempt in
            attempt == 1 ? .wait("60") : .issue
        } _: { server in
            let folder = server.workshop.folder.path + "/identities"
            let list = server.workshop.folder.path + "/list.csv"
            let dev = try server.workshop.dev(port: server.port)
            try await RegistrationsCommand.parse([
                "--devices", "2", "--pin", "key", "--identities", folder, "--dev", dev, "--out", list,
            ]).run()
            let first = try await run(server, ["--devices", "2", "--identities", folder, "--expect", "pending=2"])
            #expect(first.status == 0)
            let again = try await run(server, ["--devices", "2", "--identities", folder])
            #expect(again.status == 0)
            let requests = server.requests
            try #require(requests.count == 4)
            #expect(Set(requests.map(\.credential)).count == 2)
            #expect(Set(requests.map(\.deviceID)).count == 2)
        }
    }

    @Test func `without the folder of identities that it is to play ends with what to do`() async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            let dev = try server.workshop.dev(port: server.port)
            let empty = server.workshop.folder.path + "/none"
            let command = try EnrollCommand.parse(["--dev", dev, "--devices", "1", "--identities", empty])
            let error = await #expect(throws: SimulatorError.self) { try await command.run() }
            #expect(error?.description.contains("muster-sim registrations --identities \(empty)") == true)
        }
    }
}
