import Enrollment
import Foundation
import OpenSSL
import OperatorAPI
import PKI
import TestKit
import TestPeers
import Testing

/// Bodies, read strictly.
struct BodyTests {
    private static let limits: [(body: String, status: Int, path: String)] = [
        ("{", 400, ""), ("", 400, ""), ("[]", 422, ""), ("{\"devices\":\"7\"}", 422, "devices"),
        ("{\"devices\":7.5}", 422, "devices"), ("{\"devices\":-1}", 422, "devices"),
        ("{\"devices\":1e30}", 422, "devices"), ("{\"devices\":true}", 422, "devices"),
        ("{\"devices\":null}", 422, "devices"), ("{\"deices\":7}", 422, "deices"),
        ("{\"validFrom\":\"tomorrow\"}", 422, "validFrom"), ("{\"validFrom\":7}", 422, "validFrom"),
        ("{\"validFrom\":\"2027-01-31T12:00:00Z*\"}", 422, "validFrom"),
        ("{\"validFrom\":\"2027-02-29T12:00:00Z\"}", 422, "validFrom"),
        ("{\"validFrom\":\"2028-02-29T12:00:00Z\"}", 200, ""),
        ("{\"validFrom\":\"1969-12-31T23:59:59Z\"}", 422, "validFrom"), ("{}", 200, ""),
        ("{\"devices\":7,\"devicesPerHour\":0,\"validUntil\":\"2030-01-01T00:00:00.5Z\"}", 200, ""),
    ]

    @Test func `limits are taken or told by their path`() async throws {
        try await OperatorBench.with { bench in
            let credential = String(repeating: "ab", count: 32)
            let path = "/fleets/meters/credentials/\(credential)/limits"
            for limit in Self.limits {
                let body = Array(limit.body.utf8)
                let answer = try await bench.curl.send("PUT", path, as: bench.operator, body: body)
                #expect(answer.status == limit.status, "\(limit.body)")
                if limit.status == 422 {
                    #expect(try answer.problem.faults?.first?.at == limit.path, "\(limit.body)")
                }
            }
        }
    }

    @Test func `a body of another type, compressed, or too large is refused by name`() async throws {
        try await OperatorBench.with { bench in
            func put(_ body: [UInt8], type: String?, headers: [String] = []) async throws -> Curl.Answer {
                try await bench.curl.send(
                    "PUT",
                    "/fleets/meters/registrations/meter-1",
                    as: bench.operator,
                    body: body,
                    type: type,
                    headers: headers
                )
            }
            let body = Array("{}".utf8)
            #expect(try await put(body, type: "text/plain").problem.code == "media-type-not-supported")
            let zipped = try await put(body, type: nil, headers: ["Content-Encoding: gzip"])
            #expect(zipped.status == 415)
            #expect(try await put(body, type: "application/json; charset=utf-8").status == 201)
            let large = [UInt8](repeating: 0x20, count: 1024 * 1024 + 1)
            #expect(try await put(large, type: nil).problem.code == "body-too-large")
            let chunked = try await put(large, type: nil, headers: ["Transfer-Encoding: chunked"])
            #expect(try chunked.problem.code == "body-too-large")
            let unasked = try await bench.curl.send(
                "POST",
                "/fleets/meters/truststore/publish",
                as: bench.operator,
                body: body
            )
            #expect(unasked.status == 400)
        }
    }

    @Test func `a comment is one printable line of at most 500 characters`() async throws {
        try await OperatorBench.with { bench in
            let path = "/fleets/meters/anchors/claims/block"
            func block(_ comment: String) async throws -> Curl.Answer {
                try await bench.curl.send("POST", path, as: bench.operator, json: API.Comment(comment: comment))
            }
            #expect(try await block("a\u{0}b").problem.faults?.map(\.at) == ["comment"])
            #expect(try await block(String(repeating: "x", count: 501)).status == 422)
            let longest = String(repeating: "é", count: 500)
            #expect(try await block(longest).decode(API.Anchor.self).block?.comment == longest)
            let open = try await bench.curl.send("POST", "/fleets/meters/anchors/claims/unblock", as: bench.operator)
            #expect(try open.decode(API.Anchor.self).block == nil)
            let plain = try await bench.curl.send("POST", path, as: bench.operator)
            let held = try plain.decode(API.Anchor.self).block
            #expect(held?.by == "operator otto")
            #expect(held?.comment == nil)
        }
    }

    @Test func `an operator is added by a request that openssl made, and gets in by what comes back`() async throws {
        try await OperatorBench.with { bench in
            let folder = bench.folder.path
            let made = try await Program.run(
                "openssl",
                [
                    "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=root/O=Elsewhere", "-keyout", folder + "/grace.key", "-out", folder + "/grace.csr",
                ]
            )
            try #require(made.succeeded)
            let request = String(decoding: try bench.folder.read("grace.csr"), as: UTF8.self)
            func add(_ name: String, _ request: String) async throws -> Curl.Answer {
                let body = API.OperatorRequest(name: name, role: .operator, request: request)
                return try await bench.curl.send("POST", "/operators", as: bench.admin, json: body)
            }
            let faults = try await add("Grace Hopper", "no request").problem.faults
            #expect(faults?.map(\.at) == ["name", "request"])
            let broken = request.replacing("A", with: "B")
            #expect(try await add("grace", broken).problem.faults?.map(\.at) == ["request"])
            let answer = try await add("grace", request)
            #expect(answer.status == 201)
            let certificate = try answer.decode(API.OperatorCertificate.self)
            let file = try bench.folder.write("grace.pem", certificate.chain.utf8)
            let seen = try await Program.run(
                "openssl",
                ["x509", "-in", file, "-noout", "-subject", "-ext", "extendedKeyUsage"]
            )
            #expect(seen.text.contains("CN = grace"))
            #expect(seen.text.contains("TLS Web Client Authentication"))
            let grace = OperatorBench.Holder(
                name: "grace",
                role: .operator,
                certificateFile: file,
                keyFile: folder + "/grace.key"
            )
            let caller = try await bench.curl.get("/self", as: grace).decode(API.Caller.self)
            #expect(caller == API.Caller(name: "grace", role: .operator, by: "certificate"))
            let listed = try await bench.curl.get("/operators", as: bench.admin).decode(API.Page<API.Operator>.self)
            #expect(listed.items.map(\.name) == ["ada", "gabi", "grace", "otto", "vera"])
            #expect(listed.items[2].createdBy == "operator ada")
        }
    }
}
