import Crypto
import Foundation
import JWTKit
import OperatorAPI
import OperatorServer
import Synchronization
import Testing

/// Bearer tokens.
struct TokenTests {
    private func with(
        _ change: @Sendable (inout TokenVerification) -> Void = { _ in },
        _ body: @escaping @Sendable (OperatorBench, TokenProvider) async throws -> Void
    ) async throws {
        let provider = try TokenProvider()
        var tokens = provider.verification
        change(&tokens)
        try await OperatorBench.with(tokens: tokens) { bench in try await body(bench, provider) }
    }

    private func ask(
        _ bench: OperatorBench,
        _ token: String,
        as holder: OperatorBench.Holder? = nil,
        _ path: String = "/self"
    ) async throws -> Curl.Answer {
        try await bench.curl.get(path, as: holder, headers: ["Authorization: Bearer \(token)"])
    }

    @Test func `a good token tells name and role, and what it does stands in the audit log`() async throws {
        try await with { bench, provider in
            var claims = TokenClaims()
            claims.roles = ["viewer", "operator", "something else"]
            let token = try await provider.token(claims)
            let caller = try await ask(bench, token).decode(API.Caller.self)
            #expect(caller == API.Caller(name: "grace", role: .operator, by: "token"))
            let header = ["Authorization: Bearer \(token)"]
            let answer = try await bench.curl.send(
                "POST",
                "/fleets/meters/anchors/manufacturer/block",
                as: nil,
                headers: header
            )
            #expect(answer.status == 200)
            let entries = try await bench.curl.get("/audit?limit=1", as: nil, headers: header)
            #expect(try entries.decode(API.Page<API.AuditEntry>.self).items.first?.actor == "operator grace")
        }
    }

    @Test func `a certificate counts before a token`() async throws {
        try await with { bench, provider in
            var claims = TokenClaims()
            claims.roles = ["admin"]
            let token = try await provider.token(claims)
            let caller = try await ask(bench, token, as: bench.viewer).decode(API.Caller.self)
            #expect(caller == API.Caller(name: "vera", role: .viewer, by: "certificate"))
            _ = try await bench.curl.send("DELETE", "/operators/vera", as: bench.admin)
            #expect(try await ask(bench, token, as: bench.viewer).status == 401)
        }
    }

    @Test func `a token that is over, early, foreign or unsigned is not taken`() async throws {
        try await with { bench, provider in
            func refused(_ why: String, _ change: (inout TokenClaims) -> Void) async throws {
                var claims = TokenClaims()
                change(&claims)
                let answer = try await ask(bench, try await provider.token(claims))
                #expect(answer.status == 401, "\(why)")
                #expect(answer.headers["www-authenticate"]?.contains("error=\"invalid_token\"") == true)
                #expect(try answer.problem.detail.contains(why))
            }
            let now = Date().timeIntervalSince1970
            try await refused("expired") { $0.exp = now - 31 }
            try await refused("no exp") { $0.exp = nil }
            try await refused("not valid yet") { $0.nbf = now + 900 }
            try await refused("another issuer") { $0.iss = "https://evil.example" }
            try await refused("another issuer") { $0.iss = nil }
            try await refused("another audience") { $0.aud = ["other"] }
            try await refused("another audience") { $0.aud = nil }
            try await refused("sub") { $0.sub = nil }
            try await refused("sub") { $0.sub = "two words" }
            var late = TokenClaims()
            let soon = Date().timeIntervalSince1970
            late.exp = soon - 5
            late.nbf = soon + 10
            #expect(try await ask(bench, try await provider.token(late)).status == 200)
        }
    }

    @Test func `neither none nor a shared secret signs a token`() async throws {
        try await with { bench, provider in
            let good = try await provider.token(TokenClaims())
            let parts = good.split(separator: ".")
            func header(_ alg: String, _ kid: String) -> String {
                TokenProvider.url(
                    Data("{\"alg\":\"\(alg)\",\"kid\":\"\(kid)\",\"typ\":\"JWT\"}".utf8).base64EncodedString()
                )
            }
            for alg in ["none", "None", "ES512", ""] {
                #expect(try await ask(bench, "\(header(alg, "one")).\(parts[1]).").status == 401)
                #expect(try await ask(bench, "\(header(alg, "one")).\(parts[1]).\(parts[2])").status == 401)
            }
            // The public key, which anyone has, as an HMAC's secret.
            let content = "\(header("HS256", "one")).\(parts[1])"
            for secret in [Data(provider.key.publicKey.pemRepresentation.utf8), Data([0, 0, 0])] {
                let code = HMAC<SHA256>.authenticationCode(
                    for: Data(content.utf8),
                    using: SymmetricKey(data: secret)
                )
                let signature = TokenProvider.url(Data(code).base64EncodedString())
                #expect(try await ask(bench, "\(content).\(signature)").status == 401)
            }
            let changed = TokenProvider.url(Data("{\"roles\":\"admin\"}".utf8).base64EncodedString())
            #expect(try await ask(bench, "\(parts[0]).\(changed).\(parts[2])").status == 401)
            for text in ["x", "a.b", "a.b.c.d", "..", good + "A"] { #expect(try await ask(bench, text).status == 401) }
            #expect(try await ask(bench, good).status == 200)
        }
    }

    @Test func `another key under a known name does not count, and an unknown name reads the set again`() async throws {
        let clock = Mutex(Date())
        let provider = try TokenProvider()
        let tokens = provider.verification
        try await OperatorBench.with(tokens: tokens, now: { clock.withLock { $0 } }) { bench in
            #expect(try await ask(bench, try await provider.token(TokenClaims(), key: provider.other)).status == 401)
            #expect(provider.readings == 1)
            let rolled = try await provider.token(TokenClaims(), kid: "two", key: provider.other)
            #expect(try await ask(bench, rolled).status == 401)
            try provider.publish(["one": provider.key, "two": provider.other])
            // Not within ten seconds of the last reading.
            #expect(try await ask(bench, rolled).status == 401)
            #expect(provider.readings == 1)
            clock.withLock { $0.addTimeInterval(11) }
            #expect(try await ask(bench, rolled).status == 200)
            #expect(provider.readings == 2)
            // A key that was taken out ends when the set is read for its age.
            try provider.publish(["two": provider.other])
            clock.withLock { $0.addTimeInterval(299) }
            #expect(try await ask(bench, try await provider.token(TokenClaims(exp: nil).lasting(3600))).status == 200)
            clock.withLock { $0.addTimeInterval(2) }
            #expect(try await ask(bench, try await provider.token(TokenClaims(exp: nil).lasting(3600))).status == 401)
        }
    }

    @Test func `the role comes from the configured claim, with its prefix`() async throws {
        try await with {
            $0.rolesClaim = "realm.roles"
            $0.rolePrefix = "muster-"
        } _: { bench, provider in
            var claims = TokenClaims()
            claims.roles = ["admin"]
            #expect(try await ask(bench, try await provider.token(claims)).problem.code == "no-role")
            claims.realm = ["roles": ["admin", "muster-operator", "muster-viewer"]]
            let token = try await provider.token(claims)
            #expect(try await ask(bench, token).decode(API.Caller.self).role == .operator)
            #expect(try await ask(bench, token, "/operators").status == 403)
        }
    }

    @Test func `without a key set tokens wait and certificates go on`() async throws {
        struct Gone: Error {}
        let tokens = TokenVerification(issuer: "https://id.example", audience: "muster") { throw Gone() }
        try await OperatorBench.with(tokens: tokens) { bench in
            let token = try await TokenProvider().token(TokenClaims())
            #expect(try await ask(bench, token).problem.code == "key-set-unavailable")
            #expect(try await ask(bench, token, as: bench.viewer).status == 200)
            #expect(try await bench.curl.get("/self", as: nil).problem.code == "credentials-required")
        }
    }
}
