import Enrollment
import Foundation
import OperatorAPI
import TestKit
import Testing

/// The dry run of a revocation of many, over HTTP.
struct RevocationPreviewTests {
    private static func ask(
        _ bench: OperatorBench,
        _ body: String,
        fleet: String = "meters"
    ) async throws -> Curl.Answer {
        try await bench.curl.send(
            "POST",
            "/fleets/\(fleet)/revocation-preview",
            as: bench.viewer,
            body: Array(body.utf8)
        )
    }

    private static func preview(_ bench: OperatorBench, _ body: String = "{}") async throws -> API.RevocationPreview {
        try await ask(bench, body).decode(API.RevocationPreview.self)
    }

    @Test func `the bounds that clients count on are the record's`() {
        #expect(API.RevocationPreviewOrder.devicesMax == RevocationGroup.devicesMax)
        #expect(API.RevocationPreview.sampleMax == RevocationPreview.sampleMax)
        #expect(API.RevocationPreview.credentialsMax == RevocationPreview.credentialsMax)
        #expect(API.RevocationPreview.unknownMax == RevocationPreview.unknownMax)
    }

    @Test func `it tells how many, some of them and who was seen lately, and changes nothing`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(12)
            _ = try await bench.curl.send("POST", "/fleets/meters/devices/meter-3/revoke", as: bench.operator)
            let before = try await bench.curl.get("/audit", as: bench.viewer).body
            let preview = try await Self.preview(bench)
            #expect(preview.devices == 11 && preview.already == 1 && preview.valid == 11)
            #expect(preview.sample.count == API.RevocationPreview.sampleMax)
            #expect(preview.sample.prefix(3).map(\.device) == ["meter-0", "meter-1", "meter-10"])
            #expect(preview.seenLately.withinSeconds == 300 && preview.seenLately.devices == 11)
            #expect(preview.seenLately.latest.first?.device == "meter-0")
            #expect(preview.sample.allSatisfy { $0.isSeenLately })
            let worse = try await Self.preview(bench, "{\"reason\":\"keyCompromise\"}")
            #expect(worse.devices == 12 && worse.already == 0 && worse.valid == 11)
            let named = try await Self.preview(bench, "{\"devices\":[\"meter-1\",\"meter-1\",\"nobody\"]}")
            #expect(named.devices == 1 && named.unknown == 1 && named.unknownNames == ["nobody"])
            #expect(try await bench.curl.get("/audit", as: bench.viewer).body == before)
        }
    }

    @Test func `the credential that it is about is told as open with the command that closes it, until that is done`()
        async throws
    {
        try await OperatorBench.with { bench in
            let credential = String(repeating: "ab", count: 32)
            let body = "{\"credential\":\"\(credential)\"}"
            let open = try #require(try await Self.preview(bench, body).credentials.first)
            #expect(open.isOpen && open.refusal == nil)
            #expect(open.command == "muster credential block \(credential) --fleet meters")
            let path = "/fleets/meters/credentials/\(credential)/block"
            #expect(try await bench.curl.send("POST", path, as: bench.operator).status == 200)
            let closed = try #require(try await Self.preview(bench, body).credentials.first)
            #expect(!closed.isOpen && closed.refusal?.reason == "credential-blocked" && closed.command == nil)
        }
    }

    private static let faults: [(body: String, path: String)] = [
        ("{\"devises\":[]}", "devises"), ("{\"state\":\"odd\"}", "state"), ("{\"credential\":\"abc\"}", "credential"),
        ("{\"devices\":[\"meter-1\",\"a b\"]}", "devices[1]"), ("{\"prefix\":\"ä\"}", "prefix"),
        ("{\"anchor\":\"A\"}", "anchor"), ("{\"issuer\":\"\"}", "issuer"), ("{\"reason\":\"cACompromise\"}", "reason"),
        ("{\"usedFrom\":\"yesterday\"}", "usedFrom"), ("{\"enrolledUntil\":\"1969-12-31T23:59:59Z\"}", "enrolledUntil"),
        ("{\"prefix\":null}", "prefix"),
    ]

    @Test func `what it cannot be about is told by its path`() async throws {
        try await OperatorBench.with { bench in
            for fault in Self.faults {
                let answer = try await Self.ask(bench, fault.body)
                #expect(answer.status == 422, "\(fault.body)")
                #expect(try answer.problem.faults?.map(\.at) == [fault.path], "\(fault.body)")
            }
            let many = (0...API.RevocationPreviewOrder.devicesMax).map { "\"meter-\($0)\"" }.joined(separator: ",")
            let answer = try await Self.ask(bench, "{\"devices\":[\(many)]}")
            #expect(try answer.problem.faults?.map(\.at) == ["devices"])
            #expect(try await Self.ask(bench, "{}", fleet: "nowhere").status == 404)
            #expect(try await Self.ask(bench, "").status == 400)
        }
    }
}
