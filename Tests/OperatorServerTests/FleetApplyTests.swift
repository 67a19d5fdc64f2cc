import Enrollment
import Foundation
import OperatorAPI
import OperatorServer
import PKI
import TestKit
import Testing

/// Fleets as operators write them down.
struct FleetApplyTests {
    private func described(_ bench: OperatorBench) async throws -> FleetDescription {
        try await bench.curl.get("/fleets/meters", as: bench.viewer).decode(FleetDescription.self)
    }

    private func apply(
        _ bench: OperatorBench,
        _ description: FleetDescription,
        _ query: String = ""
    ) async throws -> Curl.Answer {
        try await bench.curl.send("PUT", "/fleets/\(description.fleet)\(query)", as: bench.admin, json: description)
    }

    private func auditCount(_ bench: OperatorBench) async throws -> Int64? {
        try await bench.record.audit.entries(subject: nil, before: nil, limit: 1).first?.sequence
    }

    @Test func `a fleet applied as it is described changes nothing and writes nothing`() async throws {
        try await OperatorBench.with { bench in
            let present = try await described(bench)
            #expect(present.approvalRetry == "1m")
            #expect(present.profile.lifetime == "90d")
            #expect(present.profile.keys == ["p256", "p384", "p521", "rsa", "ed25519"])
            #expect(present.anchors.map(\.name) == ["claims", "manufacturer", "other-manufacturer"])
            #expect(present.anchors.map(\.keyChange) == ["refuse", "replace", "replace"])
            let before = try await auditCount(bench)
            let change = try await apply(bench, present).decode(API.FleetChange.self)
            #expect(change == API.FleetChange(fleet: "meters", isNew: false, isApplied: false, changes: []))
            // What has its standard value may be left out, and order does not matter.
            var short = present
            short.approvalRetry = nil
            short.issuer = nil
            short.profile.backdating = nil
            short.profile.keys = nil
            short.profile.rsaBitsMin = nil
            short.profile.rsaKeyEncipherment = nil
            short.profile.ocspURLs = nil
            short.anchors = present.anchors.reversed().map { anchor in
                var anchor = anchor
                anchor.keyChange = nil
                anchor.limits = API.Limits()
                return anchor
            }
            #expect(try await apply(bench, short).decode(API.FleetChange.self).changes.isEmpty)
            #expect(try await auditCount(bench) == before)
        }
    }

    @Test func `a dry run tells just what applying then does`() async throws {
        try await OperatorBench.with { bench in
            var wanted = try await described(bench)
            wanted.policy = "approval"
            wanted.approvalRetry = "2m"
            wanted.profile.lifetime = "8760h"
            wanted.anchors.removeAll { $0.name == "claims" }
            wanted.anchors[0].limits = API.Limits(
                devices: 7,
                validUntil: Date(timeIntervalSince1970: 1_900_000_000)
            )
            let dry = try await apply(bench, wanted, "?dryRun=true").decode(API.FleetChange.self)
            #expect(!dry.isApplied)
            let lines = dry.changes.map { "\($0.path): \($0.from ?? "-") to \($0.to ?? "-")" }
            #expect(
                lines.prefix(5) == [
                    "policy: open to approval", "approvalRetry: 1m to 2m", "profile.lifetime: 90d to 365d",
                    "anchors[manufacturer].limits.devices: - to 7",
                    "anchors[manufacturer].limits.validUntil: - to 2030-03-17T17:46:40.000Z",
                ]
            )
            let fingerprint = dry.changes.first { $0.path == "anchors[claims].certificate" }?.from
            #expect(fingerprint?.hasPrefix("sha256:") == true)
            #expect(try await described(bench).policy == "open")
            let done = try await apply(bench, wanted).decode(API.FleetChange.self)
            #expect(done.isApplied)
            #expect(done.changes == dry.changes)
            let now = try await described(bench)
            #expect(now.policy == "approval")
            #expect(now.anchors.map(\.name) == ["manufacturer", "other-manufacturer"])
            #expect(try await apply(bench, wanted).decode(API.FleetChange.self).changes.isEmpty)
            #expect(try await apply(bench, now).decode(API.FleetChange.self).changes.isEmpty)
        }
    }

    @Test func `a new fleet is made with 201, its trust store with it`() async throws {
        try await OperatorBench.with { bench in
            var wanted = try await described(bench)
            wanted.fleet = "pumps"
            let answer = try await apply(bench, wanted)
            #expect(answer.status == 201)
            #expect(try answer.decode(API.FleetChange.self).isNew)
            let fleets = try await bench.curl.get("/fleets", as: bench.viewer).decode(API.Page<API.FleetSummary>.self)
            #expect(fleets.items.map(\.fleet) == ["meters", "pumps"])
            let store = try await bench.curl.get("/fleets/pumps/truststore", as: bench.viewer)
            #expect(try store.decode(API.TrustStore.self).version == 1)
            let next = try await bench.curl.send("POST", "/fleets/pumps/truststore/publish", as: bench.operator)
            #expect(try next.decode(API.TrustStore.self).version == 2)
            let entry = try await bench.record.audit.entries(subject: nil, before: nil, limit: 1).first
            #expect(entry?.entry.actor == "operator otto")
        }
    }

    @Test func `all that is wrong with a description is told at once, each with its path`() async throws {
        try await OperatorBench.with { bench in
            let leaf = try bench.world.manufacturer.signed("leaf", role: .tlsClient, now: Date())
            let expired = try TestAuthority.selfSigned(
                "Expired",
                role: .bootstrapAnchor,
                now: Date(timeIntervalSince1970: 0)
            )
            func anchor(
                _ name: String,
                _ der: [UInt8],
                _ rule: String = "subject-serial-number"
            ) -> FleetDescription.Anchor {
                .init(name: name, certificate: OperatorBench.pem(der), deviceID: rule)
            }
            var wanted = try await described(bench)
            let good = bench.world.manufacturer.der
            wanted.fleet = "other"
            wanted.policy = "anyone"
            wanted.approvalRetry = "0s"
            wanted.issuer = "elsewhere"
            wanted.profile.organization = ""
            wanted.profile.trustDomain = "UPPER"
            wanted.profile.lifetime = "1 year"
            wanted.profile.backdating = "2d"
            wanted.profile.keys = ["p256", "dsa"]
            wanted.profile.rsaBitsMin = 1024
            wanted.profile.crlURLs = ["https://x"]
            wanted.profile.deltaCRLURLs = ["http://x/{shard}"]
            wanted.anchors = [
                anchor("A", good), anchor("twice", good), anchor("twice", leaf.der), anchor("expired", expired.der),
                anchor("text", [1, 2, 3]), anchor("rule", bench.world.claims.der, "mac-address"),
                anchor("uri", bench.world.otherManufacturer.der, "san-uri"),
                anchor("plain", bench.world.root.der),
            ]
            wanted.anchors[7].uriPattern = "urn:x:{id}"
            wanted.anchors[7].keyChange = "maybe"
            wanted.anchors[7].limits = API.Limits(
                devices: -1,
                validFrom: Date(timeIntervalSince1970: 2_000_000_000),
                validUntil: Date(timeIntervalSince1970: 1_000_000_000)
            )
            let answer = try await bench.curl.send("PUT", "/fleets/meters", as: bench.admin, json: wanted)
            #expect(answer.status == 422)
            let problem = try answer.problem
            #expect(problem.code == "body-invalid")
            #expect(
                problem.faults?.map(\.at) == [
                    "fleet", "policy", "approvalRetry", "issuer", "profile.lifetime", "profile.keys[1]",
                    "profile.rsaBitsMin", "profile.organization", "profile.trustDomain", "profile.backdating",
                    "profile.crlURLs", "profile.deltaCRLURLs", "anchors[0].name", "anchors[1].certificate",
                    "anchors[2].name",
                    "anchors[2].certificate", "anchors[3].certificate", "anchors[4].certificate", "anchors[5].deviceID",
                    "anchors[6].uriPattern", "anchors[7].uriPattern", "anchors[7].keyChange",
                    "anchors[7].limits.devices",
                    "anchors[7].limits.validUntil",
                ]
            )
            #expect(try await described(bench).policy == "open")
        }
    }

    @Test func `two certificates in one anchor, and a key among them, are refused`() async throws {
        try await OperatorBench.with { bench in
            let present = try await described(bench)
            let pem = present.anchors[0].certificate
            for text in [
                pem + present.anchors[1].certificate, "", "x", pem.replacing("CERTIFICATE", with: "PUBLIC KEY"),
            ] {
                var wanted = present
                wanted.anchors[0].certificate = text
                let problem = try await apply(bench, wanted).problem
                #expect(problem.faults?.map(\.at) == ["anchors[0].certificate"])
            }
        }
    }
}
