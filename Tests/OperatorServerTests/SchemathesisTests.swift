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
        import json
        import schemathesis

        def lines(value):
            return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")

        @schemathesis.serializer("application/x-ndjson", "text/csv")
        def as_lines(ctx, value):
            return lines(value)

        """

    @Test func `it finds no disagreement`() async throws {
        let environment = ProcessInfo.processInfo.environment
        let program = try #require(environment["MUSTER_SCHEMATHESIS"])
        try await OperatorBench.with { bench in
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
            let described = try await bench.curl.get("/openapi.yaml", as: nil)
            let document = try bench.folder.write("openapi.yaml", described.body)
            let found = try await Program.run(
                program,
                [
                    "run", document, "--url", bench.curl.base.replacing(OperatorOperation.root, with: ""),
                    "--tls-verify", bench.curl.caFile, "--request-cert", bench.admin.certificateFile,
                    "--request-cert-key", bench.admin.keyFile, "--no-color", "--workers", "2",
                    "--max-examples", environment["MUSTER_SCHEMATHESIS_EXAMPLES"] ?? "25",
                    // What the description cannot say makes a body that looks good a bad one: a certificate in text,
                    // or two times in order.
                    "--exclude-checks", "positive_data_acceptance",
                    "--generation-database", "none",
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
