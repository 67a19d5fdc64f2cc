import Foundation
import OperatorAPI
import TestKit
import Testing

/// Listings, page by page.
struct ListingTests {
    /// All pages of a listing.
    private func walk<Item: Codable & Sendable>(
        _ bench: OperatorBench,
        _ path: String,
        _ type: Item.Type
    ) async throws -> [[Item]] {
        var pages: [[Item]] = []
        var cursor = ""
        while pages.count < 50 {
            let answer = try await bench.curl.get("\(path)\(cursor)", as: bench.admin)
            let page = try answer.decode(API.Page<Item>.self)
            pages.append(page.items)
            guard let next = page.next else { return pages }
            cursor = "&cursor=\(next)"
        }
        return pages
    }

    @Test func `devices come in every selection's order, each once, and the last page says so`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(7)
            let names = (0..<7).map { "meter-\($0)" }
            func devices(_ query: String) async throws -> [[String]] {
                try await walk(bench, "/fleets/meters/devices?\(query)", API.Device.self).map { $0.map(\.device) }
            }
            #expect(
                try await devices("limit=3") == [
                    ["meter-0", "meter-1", "meter-2"], ["meter-3", "meter-4", "meter-5"], ["meter-6"],
                ]
            )
            #expect(try await devices("limit=7") == [names])
            #expect(try await devices("prefix=meter-3") == [["meter-3"]])
            #expect(try await devices("enrolledFrom=2020-01-01T00:00:00Z&limit=2").flatMap(\.self) == names)
            let soonest = try await devices("expiringUntil=2999-01-01T00:00:00Z&limit=2").flatMap(\.self)
            #expect(soonest == names.reversed())
            let first = try await bench.curl.get("/fleets/meters/devices/meter-4", as: bench.viewer)
                .decode(API.Device.self)
            #expect(try await devices("key=\(first.keySHA256)") == [["meter-4"]])
            #expect(try await devices("serial=\(first.serialNumber)") == [["meter-4"]])
            #expect(first.state == "valid")
            let certificates = try await walk(
                bench,
                "/fleets/meters/devices/meter-4/certificates?limit=5",
                API.Certificate.self
            )
            #expect(certificates.map { $0.map(\.serialNumber) } == [[first.serialNumber]])
        }
    }

    @Test func `a cursor is of one listing with one set of filters, and cannot be made up`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(3)
            let page = try await bench.curl.get("/fleets/meters/devices?prefix=meter&limit=1", as: bench.viewer)
            let cursor = try #require(try page.decode(API.Page<API.Device>.self).next)
            func code(_ path: String) async throws -> String {
                let answer = try await bench.curl.get(path, as: bench.viewer)
                return answer.status == 200 ? "ok" : try answer.problem.code
            }
            #expect(try await code("/fleets/meters/devices?prefix=meter&limit=2&cursor=\(cursor)") == "ok")
            #expect(try await code("/fleets/meters/devices?cursor=\(cursor)&prefix=meter") == "ok")
            for path in [
                "/fleets/meters/devices?cursor=\(cursor)", "/fleets/meters/devices?prefix=m&cursor=\(cursor)",
                "/fleets/meters/registrations?prefix=meter&cursor=\(cursor)", "/audit?cursor=\(cursor)",
                "/audit?cursor=", "/audit?cursor=e30", "/audit?cursor=\(cursor)A", "/audit?cursor=%00",
                "/audit?cursor=\(String(repeating: "A", count: 600))",
            ] {
                #expect(try await code(path) == "parameter-invalid", "\(path)")
            }
        }
    }

    @Test func `what a query says is taken strictly`() async throws {
        try await OperatorBench.with { bench in
            for (path, name) in [
                ("/fleets?limit=0", "limit"), ("/fleets?limit=1001", "limit"), ("/fleets?limit=+1", "limit"),
                ("/fleets?limit=1&limit=1", "limit"), ("/fleets?limt=1", "limt"), ("/self?a=b", "a"),
                ("/fleets?limit=99999999999999999999", "limit"), ("/fleets?%00=1", "?"),
                ("/fleets?limit=%FF", "the query"),
                ("/attempts?outcome=lost", "outcome"), ("/attempts?reason=because", "reason"),
                ("/attempts?from=yesterday", "from"), ("/attempts?device=%00", "device"),
                ("/attempts?credential=AB", "credential"), ("/attempts?fleet=M", "fleet"),
                ("/audit?subject=", "subject"), ("/audit?subject=a%0Ab", "subject"),
                ("/fleets/meters/credentials?state=odd", "state"), ("/fleets/meters/devices?prefix=%2F", "prefix"),
                ("/fleets/meters/devices?key=ab", "key"), ("/fleets/meters/devices?serial=a", "serial"),
                ("/fleets/meters/devices?prefix=a&serial=ab", "serial"), ("/openapi.yaml?x=1", "x"),
            ] {
                let answer = try await bench.curl.get(path, as: bench.viewer)
                #expect(answer.status == 400, "\(path)")
                #expect(try answer.problem.faults?.first?.at == name, "\(path)")
            }
            #expect(try await bench.curl.get("/attempts?fleet=none", as: bench.viewer).problem.code == "fleet-unknown")
        }
    }

    @Test func `every other listing is walked to its end`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(4)
            for number in 0..<5 {
                let credential = String(repeating: "\(number)a", count: 32)
                let path = "/fleets/meters/credentials/\(credential)/block"
                #expect(try await bench.curl.send("POST", path, as: bench.operator).status == 200)
                let device = "/fleets/meters/registrations/new-\(number)"
                let put = try await bench.curl.send("PUT", device, as: bench.operator, json: API.RegistrationPins())
                #expect(put.status == 201)
            }
            let credentials = try await walk(
                bench,
                "/fleets/meters/credentials?state=blocked&limit=2",
                API.Credential.self
            )
            #expect(credentials.map(\.count) == [2, 2, 1])
            let registrations = try await walk(bench, "/fleets/meters/registrations?limit=2", API.Registration.self)
            #expect(registrations.flatMap(\.self).map(\.device) == (0..<5).map { "new-\($0)" })
            let attempts = try await walk(bench, "/attempts?fleet=meters&limit=3", API.Attempt.self).flatMap(\.self)
            #expect(attempts.map(\.device) == (0..<4).map { "meter-\($0)" })
            let first = try #require(attempts.first)
            let attempt = try await bench.curl.get("/attempts/\(first.id)", as: bench.viewer).decode(API.Attempt.self)
            #expect(attempt == first)
            #expect(!attempt.explanation.summary.isEmpty)
            let anchors = try await walk(bench, "/fleets/meters/anchors?limit=1", API.Anchor.self).flatMap(\.self)
            #expect(anchors.map(\.description.name) == ["claims", "manufacturer", "other-manufacturer"])
            let operators = try await walk(bench, "/operators?limit=2", API.Operator.self).flatMap(\.self)
            #expect(operators.map(\.name) == ["ada", "gabi", "otto", "vera"])
            let issuers = try await walk(bench, "/issuers?limit=1", API.Issuer.self).flatMap(\.self)
            #expect(issuers.map(\.name) == ["example"])
            #expect(issuers.first?.canSign == true)
            #expect(issuers.first?.fleets == ["meters"])
            let audit = try await walk(bench, "/audit?limit=4", API.AuditEntry.self).flatMap(\.self).map(\.sequence)
            #expect(audit == audit.sorted(by: >))
            #expect(audit.last == 1)
            let verdict = try await bench.curl.get("/audit/verdict", as: bench.viewer).decode(API.AuditVerdict.self)
            #expect(verdict == API.AuditVerdict(isIntact: true, entries: Int64(audit.count), fault: nil))
            let about = try await walk(bench, "/audit?subject=operator%20ada&limit=9", API.AuditEntry.self)
            #expect(about.flatMap(\.self).count == 1)
        }
    }
}
