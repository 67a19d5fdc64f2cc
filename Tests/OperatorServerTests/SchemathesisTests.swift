import Foundation
import OperatorAPI
import TestPeers
import Testing

/// A stranger's reading of the description: schemathesis makes requests from it, good and bad, and finds where server and
/// description disagree. Runs where `MUSTER_SCHEMATHESIS` names the program.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["MUSTER_SCHEMATHESIS"] != nil))
struct SchemathesisTests {
    /// How to write lines of JSON, which it does not know by itself.
    private static let hooks = """
        import uuid
        import schemathesis

        @schemathesis.serializer("application/x-ndjson", "text/csv")
        def as_lines(ctx, value):
            return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")

        # The same key for two requests is refused, as it must be; here each good key is of one request.
        @schemathesis.hook
        def before_call(ctx, case, **kwargs):
            key = (case.headers or {}).get("Idempotency-Key")
            if key and len(key) <= 255 and all("!" <= sign <= "~" for sign in key):
                case.headers["Idempotency-Key"] = str(uuid.uuid4()) + key[36:]

        """

    /// Where a body that the description lets through may still be refused: it cannot say that a text is a certificate,
    /// that a day is one that there is, that a time comes after another, or that a listing is selected in one way at a time; and a cursor is the server's own.
    private static let configuration = """
        [[operations]]
        include-name = [
            "PUT /api/v1/fleets/{fleet}", "POST /api/v1/operators", "POST /api/v1/fleets/{fleet}/registrations",
            "PUT /api/v1/fleets/{fleet}/credentials/{credential}/limits", "POST /api/v1/fleets/{fleet}/revocation-preview",
        ]
        checks.positive_data_acceptance.enabled = false

        [[operations]]
        include-method = "GET"
        checks.positive_data_acceptance.enabled = false

        """

    @Test func `it finds no disagreement`() async throws {
        let environment = ProcessInfo.processInfo.environment
        let program = try #require(environment["MUSTER_SCHEMATHESIS"])
        let provider = try TokenProvider()
        var claims = TokenClaims()
        claims.roles = ["admin"]
        let token = try await provider.token(claims.lasting(3_600))
        try await OperatorBench.with(tokens: provider.verification) { bench in
            try await bench.enroll(3, prefix: "meter-000")
            try await bench.wait(["meter-0009"])
            for name in ["manufacturer", "claims"] {
                let path = "/fleets/meters/anchors/\(name)/block"
                _ = try await bench.curl.send("POST", path, as: bench.operator, json: API.Comment(comment: "seed"))
            }
            let credential = String(repeating: "ab", count: 32)
            let path = "/fleets/meters/credentials/\(credential)/limits"
            _ = try await bench.curl.send("PUT", path, as: bench.operator, json: API.Limits(devices: 7))
            let hooks = try bench.folder.write("lines.py", Self.hooks.utf8)
            try bench.folder.write("schemathesis.toml", Self.configuration.utf8)
            let described = try await bench.curl.get("/openapi.yaml", as: nil)
            let document = try bench.folder.write("openapi.yaml", described.body)
            let found = try await Program.run(
                program,
                [
                    "run", document, "--url", bench.curl.base.replacing(OperatorOperation.root, with: ""),
                    "--tls-verify", bench.curl.caFile, "--header", "Authorization: Bearer \(token)", "--no-color",
                    // One: CPython 3.11 loses count of its recursion when two threads parse (gh-106905).
                    "--workers", "1",
                    "--max-examples", environment["MUSTER_SCHEMATHESIS_EXAMPLES"] ?? "25",
                    "--generation-database", "none",
                    // The same requests each time: what a run finds, the next one finds too. Nothing is said of speed.
                    "--seed", environment["MUSTER_SCHEMATHESIS_SEED"] ?? "1", "--suppress-health-check", "all",
                    "--request-timeout", "60",
                ],
                environment: ["SCHEMATHESIS_HOOKS": hooks, "PYTHONPATH": bench.folder.path],
                workingDirectory: bench.folder.path
            )
            if let log = environment["MUSTER_SCHEMATHESIS_LOG"] {
                try Data(found.output).write(to: URL(fileURLWithPath: log))
            }
            #expect(found.succeeded, "\(found.text.suffix(4_000))\(found.errorOutput.suffix(1_000))")
        }
    }
}
