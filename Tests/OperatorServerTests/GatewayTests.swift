import Enrollment
import Foundation
import OperatorAPI
import PKI
import Postgres
import TestKit
import Testing

/// Gateways ask whether devices are to be let in, each in its own words.
struct GatewayTests {
    private static let path = "/authorize"

    /// Gateways ask beside the API's root.
    private static func curl(_ bench: OperatorBench) -> Curl {
        Curl(base: bench.curl.base.replacing(OperatorOperation.root, with: ""), caFile: bench.curl.caFile)
    }

    private struct Plain: Decodable {
        let allow: Bool
        let device: String?
        let fleet: String?
        let reason: String?
    }

    private static func ask(
        _ bench: OperatorBench,
        _ body: [String: Any]? = nil,
        method: String = "POST",
        path: String = path,
        headers: [String] = [],
        as holder: OperatorBench.Holder? = nil
    ) async throws -> Curl.Answer {
        try await curl(bench).send(
            method,
            path,
            as: holder ?? bench.gateway,
            body: try body.map { [UInt8](try JSONSerialization.data(withJSONObject: $0)) },
            headers: headers
        )
    }

    private static func json(_ answer: Curl.Answer) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
    }

    private static func pem(_ bench: OperatorBench, _ device: String) async throws -> String {
        let answer = try await bench.curl.get("/fleets/meters/devices/\(device)/certificates", as: bench.viewer)
        return try #require(try answer.decode(API.Page<API.Certificate>.self).items.first).pem
    }

    private static func escaped(_ pem: String) -> String {
        pem.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    @Test func `a device's certificate is let in, in JSON and in the headers of nginx and Envoy`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(1)
            let pem = try await Self.pem(bench, "meter-0")
            let answers = [
                try await Self.ask(bench, ["certificate": pem]),
                try await Self.ask(bench, ["certificate": Self.escaped(pem)]),
                try await Self.ask(bench, method: "GET", headers: ["X-SSL-Client-Cert: \(Self.escaped(pem))"]),
                try await Self.ask(
                    bench,
                    method: "DELETE",
                    path: Self.path + "/orders/7?x=1",
                    headers: [
                        "X-Forwarded-Client-Cert: By=spiffe://a;Cert=\"none\",Hash=ab;Cert=\"\(Self.escaped(pem))\";Subject=\"CN=a;b,c\""
                    ]
                ),
                try await Self.ask(
                    bench,
                    method: "GET",
                    headers: [#"X-Forwarded-Client-Cert: Subject="CN=\"a\",;\\"; cert=\#(Self.escaped(pem))"#]
                ),
            ]
            for answer in answers {
                #expect(answer.status == 200)
                let said = try answer.decode(Plain.self)
                #expect(said.allow && said.device == "meter-0" && said.fleet == "meters" && said.reason == nil)
                #expect(answer.headers["x-muster-device"] == "meter-0" && answer.headers["x-muster-fleet"] == "meters")
            }
        }
    }

    @Test func `a gateway that was removed is soon answered no more`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(1)
            let pem = try await Self.pem(bench, "meter-0")
            #expect(try await Self.ask(bench, ["certificate": pem]).status == 200)
            #expect(try await bench.curl.send("DELETE", "/operators/gabi", as: bench.admin).status == 204)
            let removed = ContinuousClock.now
            var status = 200
            while status == 200, .now - removed < .seconds(10) {
                status = try await Self.ask(bench, ["certificate": pem]).status
            }
            #expect(status == 401)
        }
    }

    @Test func `while the record is away a gateway hears what it heard before, and nobody else anything`() async throws
    {
        try await OperatorBench.with { bench in
            try await bench.enroll(1)
            let body = ["certificate": try await Self.pem(bench, "meter-0")]
            #expect(try await Self.ask(bench, body).status == 200)
            bench.pool.close()
            // For longer than a look at the record counts.
            let closed = ContinuousClock.now
            while .now - closed < .seconds(2) { #expect(try await Self.ask(bench, body).status == 200) }
            #expect(try await Self.ask(bench, body, as: bench.viewer).status == 503)
        }
    }

    @Test func `no certificate is made of what is nearly one`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(1)
            let pem = try await Self.pem(bench, "meter-0")
            let escaped = Self.escaped(pem)
            for spoilt in ["%", "%4", "%zz", escaped + "%", escaped.replacing("%2D", with: "%2"), pem + pem] {
                let answer = try await Self.ask(bench, ["certificate": spoilt])
                #expect(answer.status == 403)
                #expect(try answer.decode(Plain.self).reason == "unreadable")
            }
            let lowercased = escaped.replacing("%2D", with: "%2d").replacing("%0A", with: "%0d%0a")
            #expect(try await Self.ask(bench, ["certificate": lowercased]).status == 200)
        }
    }

    @Test func `a Lambda authorizer gets the answer of its API's kind`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(1)
            let known = try await Self.pem(bench, "meter-0")
            let foreign = OperatorBench.pem(bench.world.issuer.der)
            let method = "arn:aws:execute-api:eu-central-1:123456789012:abc/prod/GET/orders"
            for (pem, effect) in [(known, "Allow"), (foreign, "Deny")] {
                let client = ["clientCert": ["clientCertPem": pem, "serialNumber": "1"]]
                let policy = try Self.json(
                    try await Self.ask(
                        bench,
                        ["type": "REQUEST", "methodArn": method, "requestContext": ["identity": client]]
                    )
                )
                let document = try #require(policy["policyDocument"] as? [String: Any])
                let statement = try #require((document["Statement"] as? [[String: Any]])?.first)
                #expect(document["Version"] as? String == "2012-10-17")
                #expect(statement["Effect"] as? String == effect && statement["Resource"] as? String == method)
                #expect(statement["Action"] as? String == "execute-api:Invoke")
                #expect(policy["principalId"] as? String == (effect == "Allow" ? "meter-0@meters" : "unknown"))
                let simple = try Self.json(
                    try await Self.ask(
                        bench,
                        ["version": "2.0", "requestContext": ["authentication": client], "headers": ["a": "b"]]
                    )
                )
                #expect(simple["isAuthorized"] as? Bool == (effect == "Allow"))
                let context = try #require(simple["context"] as? [String: Any])
                #expect(context["reason"] as? String == (effect == "Allow" ? nil : "unknown"))
            }
            let bare = try Self.json(
                try await Self.ask(bench, ["version": "2.0", "requestContext": ["authentication": NSNull()]])
            )
            #expect(bare["isAuthorized"] as? Bool == false)
        }
    }

    @Test func `who is not to be let in gets 403 and the reason`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(1)
            let pem = try await Self.pem(bench, "meter-0")
            _ = try await bench.curl.send(
                "POST",
                "/fleets/meters/devices/meter-0/revoke",
                as: bench.operator,
                json: API.RevocationOrder(reason: "keyCompromise")
            )
            for (certificate, reason) in [
                (pem, "revoked"), (OperatorBench.pem(bench.world.issuer.der), "unknown"),
                ("no certificate", "unreadable"),
                (pem + pem, "unreadable"), ("", "unreadable"),
            ] {
                let answer = try await Self.ask(bench, ["certificate": certificate])
                #expect(answer.status == 403 && answer.headers["x-muster-reason"] == reason)
                let said = try answer.decode(Plain.self)
                #expect(!said.allow && said.reason == reason)
            }
        }
    }

    // Envoy puts a backslash before each quote of a value, such as one in a subject that a stranger chose.
    @Test(arguments: [
        #"Cert="none";Subject="CN=\";Cert=CERTIFICATE;\"""#, #"Cert="none";Cert="CERTIFICATE""#,
        #"Cert="CERTIFICATE";Cert="none""#, #"Cert="CERTIFICATE",Hash=ab"#, #"Cert="CERTIFICATE",Cert="""#,
        #"Hash=ab;Subject="CN=a\\";Cert="none";Subject="\";Cert=CERTIFICATE"#, #"Subject="Cert=CERTIFICATE""#,
        #"Cert="CERTIFICATE"#,
    ])
    func `what a stranger has put beside a proxy's word on a certificate lets nobody in`(field: String) async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(1)
            let field = field.replacing("CERTIFICATE", with: Self.escaped(try await Self.pem(bench, "meter-0")))
            let answer = try await Self.ask(bench, method: "GET", headers: ["X-Forwarded-Client-Cert: \(field)"])
            #expect(answer.status == 403)
            #expect(try answer.decode(Plain.self).device == nil)
        }
    }

    @Test func `questions that say no certificate, or two, are refused, and so is who may not ask`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(1)
            let pem = try await Self.pem(bench, "meter-0")
            let field = "X-SSL-Client-Cert: \(Self.escaped(pem))"
            #expect(try await Self.ask(bench).status == 400)
            #expect(try await Self.ask(bench, ["other": 1]).status == 400)
            #expect(try await Self.ask(bench, ["requestContext": [:] as [String: Any]]).status == 400)
            #expect(try await Self.ask(bench, ["certificate": pem], headers: [field]).status == 400)
            #expect(try await Self.ask(bench, method: "GET", headers: [field, field]).status == 400)
            #expect(
                try await Self.ask(bench, method: "GET", headers: [field, "X-Forwarded-Client-Cert: Cert=\"\""]).status
                    == 400
            )
            let nobody = try await Self.curl(bench).send("GET", Self.path, as: nil, headers: [field])
            #expect(nobody.status == 401)
            #expect(try await bench.curl.get("/fleets", as: bench.gateway).status == 403)
        }
    }
}
