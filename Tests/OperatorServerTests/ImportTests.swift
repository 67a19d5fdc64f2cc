import Enrollment
import Foundation
import OperatorAPI
import OperatorServer
import Testing

/// Many registrations at once.
struct ImportTests {
    private static let hash = String(repeating: "ab", count: 32)

    private func send(
        _ bench: OperatorBench,
        _ text: String,
        type: String = "application/x-ndjson"
    ) async throws -> Curl.Answer {
        try await bench.curl.send(
            "POST",
            "/fleets/meters/registrations",
            as: bench.operator,
            body: Array(text.utf8),
            type: type
        )
    }

    private func count(_ bench: OperatorBench) async throws -> Int {
        try await bench.curl.get("/fleets/meters/registrations?limit=1000", as: bench.viewer)
            .decode(API.Page<API.Registration>.self).items.count
    }

    @Test func `objects and tables say the same`() async throws {
        try await OperatorBench.with { bench in
            let lines = """
                {"device":"a"}

                {"device":"b","keySHA256":"\(Self.hash)"}\r
                {"device":"c","idevidSHA256":"\(Self.hash)","keySHA256":"\(Self.hash)"}
                """
            #expect(
                try await send(bench, lines).decode(API.RegistrationCounts.self)
                    == .init(added: 3, changed: 0, unchanged: 0)
            )
            let table = "device,key_sha256,idevid_sha256\r\na,,\nb,\(Self.hash),\nc,\(Self.hash),\n"
            let answer = try await send(bench, table, type: "text/csv; charset=utf-8")
            #expect(try answer.decode(API.RegistrationCounts.self) == .init(added: 0, changed: 1, unchanged: 2))
            let entry = try await bench.record.audit.entries(subject: nil, before: nil, limit: 1).first?.entry
            #expect(entry?.actor == "operator otto")
        }
    }

    @Test func `a bad line in the middle undoes all, and is named`() async throws {
        try await OperatorBench.with { bench in
            var lines = (0..<5_000).map { "{\"device\":\"meter-\($0)\"}" }
            lines[2_999] = "{\"device\":\"no name\"}"
            lines[3_999] = "{\"device\":\"x\",\"key\":\"y\"}"
            let problem = try await send(bench, lines.joined(separator: "\n")).problem
            #expect(problem.status == 422)
            #expect(problem.faults?.map(\.at) == ["line 3000", "line 4000"])
            #expect(try await count(bench) == 0)
            lines[2_999] = "{\"device\":\"meter-x\"}"
            lines[3_999] = "{\"device\":\"meter-y\"}"
            let counts = try await send(bench, lines.joined(separator: "\n")).decode(API.RegistrationCounts.self)
            #expect(counts.added == 5_000)
        }
    }

    private static let badLines = [
        "[]", "7", "{", "{}", "{\"device\":7}", "{\"device\":\"a\",\"keySHA256\":null}", "{\"device\":\"a\\u0000\"}",
        "{\"device\":\"a\",\"keySHA256\":\"AB\"}", "\u{FEFF}{\"device\":\"\"}",
    ]

    @Test func `a line that is none is told`() async throws {
        try await OperatorBench.with { bench in
            for line in Self.badLines {
                let problem = try await send(bench, "{\"device\":\"good\"}\n\(line)\n").problem
                #expect(problem.faults?.map(\.at) == ["line 2"], "\(line)")
            }
            #expect(try await count(bench) == 0)
        }
    }

    @Test func `a table needs its header and three fields a row`() async throws {
        try await OperatorBench.with { bench in
            func faults(_ text: String) async throws -> [String]? {
                try await send(bench, text, type: "text/csv").problem.faults?.map { "\($0.at) \($0.reason)" }
            }
            let header = "device,key_sha256,idevid_sha256"
            for text in ["", "a,,\n"] {
                let found = try await faults(text)
                #expect(found == ["line 1 must be \(header)"])
            }
            #expect(try await faults("\(header)\na\n\"b\",,\n")?.map { $0.prefix(6) } == ["line 2", "line 3"])
            #expect(try await send(bench, header, type: "text/csv").status == 200)
        }
    }

    @Test func `an import of another type, or with a line that is too long, is refused`() async throws {
        try await OperatorBench.with { bench in
            let other = try await send(bench, "{}", type: "application/json")
            #expect(other.status == 415)
            let long = "{\"device\":\"a\"}\n" + String(repeating: "x", count: 5_000)
            #expect(try await send(bench, long).problem.faults?.map(\.at) == ["line 2"])
            #expect(try await send(bench, "").decode(API.RegistrationCounts.self).added == 0)
            #expect(try await count(bench) == 0)
        }
    }
}
