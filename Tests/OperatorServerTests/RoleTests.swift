import Enrollment
import Foundation
import OpenSSL
import OperatorAPI
import OperatorServer
import PKI
import Postgres
import Synchronization
import TestKit
import TestPeers
import Testing

/// Who may do what.
struct RoleTests {
    /// Every operation on names of the bench's fleet; some of them there, none of them in the way of another.
    static let requests: [(operation: OperatorOperation, method: String, path: String)] = OperatorOperation.allCases
        .map { operation in
            let names = [
                "{fleet}": "meters", "{anchor}": "manufacturer", "{credential}": String(repeating: "ab", count: 32),
                "{device}": "meter-1", "{approval}": "1", "{attempt}": "0197c3a1-6b0f-7cc2-9a44-2f1d3b8e5a10",
                "{issuer}": "example", "{operator}": "nobody", "{request}": "1",
            ]
            let path = names.reduce(operation.path) { $0.replacing($1.key, with: $1.value) }
            return (operation, operation.method.rawValue, path)
        }

    @Test(arguments: OperatorRole.allCases)
    func `each role may do just what the table of operations says`(_ role: OperatorRole) async throws {
        try await OperatorBench.with { bench in
            let statuses = try await bench.curl.statuses(
                Self.requests.map { ($0.method, $0.path) },
                as: bench.holder(role)
            )
            try #require(statuses.count == OperatorOperation.allCases.count)
            for (request, status) in zip(Self.requests, statuses) {
                let least = request.operation.role.map { OperatorRole(rawValue: $0.rawValue) } ?? .gateway
                if try #require(least) <= role {
                    #expect(![401, 403, 405, 500, 503].contains(status), "\(request.operation) answers \(status)")
                } else {
                    #expect(status == 403, "\(request.operation) answers \(status)")
                }
            }
        }
    }

    @Test func `without a certificate only the description of the API is given`() async throws {
        try await OperatorBench.with { bench in
            let statuses = try await bench.curl.statuses(Self.requests.map { ($0.method, $0.path) }, as: nil)
            for (request, status) in zip(Self.requests, statuses) {
                #expect(status == (request.operation == .getOpenAPI ? 200 : 401), "\(request.operation)")
            }
            let answer = try await bench.curl.get("/self", as: nil)
            #expect(answer.headers["www-authenticate"]?.contains("Certificate") == true)
            #expect(try answer.problem.code == "certificate-required")
        }
    }

    @Test func `who is removed is out at once, also on an open connection`() async throws {
        try await OperatorBench.with { bench in
            let statuses = try await bench.curl.statuses(
                [("GET", "/self"), ("DELETE", "/operators/ada"), ("GET", "/self")]
                    + Self.requests.map { ($0.method, $0.path) },
                as: bench.admin
            )
            #expect(statuses.prefix(3) == [200, 204, 401])
            for (request, status) in zip(Self.requests, statuses.dropFirst(3)) {
                #expect(status == (request.operation == .getOpenAPI ? 200 : 401), "\(request.operation)")
            }
            #expect(try await bench.curl.get("/self", as: bench.admin).problem.code == "certificate-unknown")
        }
    }

    @Test func `a refusal names the role that is needed and the one that is held`() async throws {
        try await OperatorBench.with { bench in
            let problem = try await bench.curl.send("DELETE", "/operators/ada", as: bench.viewer).problem
            #expect(problem.code == "role-too-low")
            #expect(problem.detail.contains("admin"))
            #expect(problem.detail.contains("vera is viewer"))
        }
    }

    @Test func `a certificate of a device's CA does not get through the handshake`() async throws {
        try await OperatorBench.with { bench in
            let device = try bench.world.root.signed("ada", role: .tlsClient, now: Date())
            let stranger = OperatorBench.Holder(
                name: "ada",
                role: .admin,
                certificateFile: try bench.folder.write("stranger.pem", OperatorBench.pem(device.der).utf8),
                keyFile: try bench.folder.write("stranger.key", device.key.pem(passphrase: nil))
            )
            await #expect(throws: Curl.NoAnswer.self) { try await bench.curl.get("/self", as: stranger) }
        }
    }

    @Test func `a certificate that is over does not count, whatever the handshake saw`() async throws {
        let later = Date(timeIntervalSinceNow: 11 * 365 * 86_400)
        try await OperatorBench.with(now: { later }) { bench in
            let answer = try await bench.curl.get("/self", as: bench.admin)
            #expect(try answer.problem.code == "certificate-not-valid")
        }
    }

    @Test func `every answer has an id, a length, and is kept by nobody`() async throws {
        let seen = Mutex<[String]>([])
        try await OperatorBench.with(onAnswer: { operation, status, _ in
            seen.withLock { $0.append("\(operation) \(status)") }
        }) { bench in
            for path in ["/self", "/nowhere", "/fleets/none", "/openapi.yaml"] {
                let answer = try await bench.curl.get(path, as: bench.viewer)
                #expect(answer.headers["cache-control"] == "no-store")
                #expect(answer.headers["content-length"] == "\(answer.body.count)")
                #expect(UUID(uuidString: answer.headers["request-id"] ?? "") != nil)
            }
        }
        #expect(seen.withLock { $0 } == ["getSelf 200", "unknown 404", "getFleet 404", "getOpenAPI 200"])
    }

    @Test func `the record away is 503 with a time to wait`() async throws {
        try await OperatorBench.with { bench in
            bench.pool.close()
            let answer = try await bench.curl.get("/self", as: bench.viewer)
            #expect(answer.status == 503)
            #expect(answer.headers["retry-after"] != nil)
            #expect(try answer.problem.code == "record-unavailable")
        }
    }

    @Test func `a new server certificate serves from the next connection on`() async throws {
        try await OperatorBench.with { bench in
            let ca = try TestAuthority.selfSigned("Another CA", now: Date())
            let file = try bench.folder.write("other.pem", OperatorBench.pem(ca.der).utf8)
            let other = Curl(base: bench.curl.base, caFile: file)
            await #expect(throws: Curl.NoAnswer.self) { try await other.get("/self", as: bench.viewer) }
            try bench.tls.reload(identity: OperatorBench.identity(by: ca))
            #expect(try await other.get("/self", as: bench.viewer).status == 200)
            await #expect(throws: Curl.NoAnswer.self) { try await bench.curl.get("/self", as: bench.viewer) }
        }
    }

    @Test func `paths and methods that are not there are told apart`() async throws {
        try await OperatorBench.with { bench in
            let other = try await bench.curl.send("DELETE", "/fleets/meters", as: bench.viewer)
            #expect(other.status == 405)
            #expect(other.headers["allow"] == "GET, PUT")
            for path in ["/fleets/", "/fleets//anchors", "/fleets/%FF", "/fleets/meters/../meters", "/self/", "/SELF"] {
                #expect(try await bench.curl.get(path, as: bench.viewer).problem.code == "path-unknown", "\(path)")
            }
            for path in ["/fleets/%00", "/fleets/a%2Fb", "/fleets/M", "/fleets/cacerts", "/attempts/7", "/issuers/_"] {
                #expect(try await bench.curl.get(path, as: bench.viewer).problem.code == "parameter-invalid", "\(path)")
            }
        }
    }
}
