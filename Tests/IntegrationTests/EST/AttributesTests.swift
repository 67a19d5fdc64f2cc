import TestPeers
import Testing

extension ESTFrontTests {
    /// GET /csrattrs (RFC 7030 section 4.5, RFC 9908).
    struct AttributesTests {
        @Test(
            arguments: [nil, "idevid"] as [String?],
            ["/.well-known/est/csrattrs", "/.well-known/est/demo/csrattrs"]
        )
        func `csrattrs demand nothing where the client has the choice, with or without certificate (EST-40)`(
            credential: String?,
            path: String
        ) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let answer = try await bench.curl(path, as: credential)
            #expect(answer.status == 204)
            #expect(answer.body.isEmpty)
        }
    }
}
