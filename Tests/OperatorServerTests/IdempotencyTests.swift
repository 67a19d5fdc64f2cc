import Crypto
import Enrollment
import Foundation
import OperatorAPI
import OperatorServer
import Testing

/// Repeats of writes.
struct IdempotencyTests {
    private let path = "/fleets/meters/registrations/meter-1"

    private func put(
        _ bench: OperatorBench,
        _ key: String,
        _ pins: API.RegistrationPins = .init(),
        as holder: OperatorBench.Holder? = nil
    ) async throws -> Curl.Answer {
        try await bench.curl.send(
            "PUT",
            path,
            as: holder ?? bench.operator,
            json: pins,
            headers: ["Idempotency-Key: \(key)"]
        )
    }

    @Test func `a repeat gets the first answer and does nothing`() async throws {
        try await OperatorBench.with { bench in
            let first = try await put(bench, "key-1")
            #expect(first.status == 201)
            #expect(first.headers["idempotent-replayed"] == nil)
            #expect(try await bench.curl.send("DELETE", path, as: bench.operator).status == 204)
            let again = try await put(bench, "key-1")
            #expect(again.status == 201)
            #expect(again.body == first.body)
            #expect(again.headers["content-type"] == "application/json")
            #expect(again.headers["idempotent-replayed"] == "true")
            #expect(try await bench.curl.get(path, as: bench.viewer).status == 404)
            // Of someone else, the same key is another one.
            #expect(try await put(bench, "key-1", as: bench.admin).headers["idempotent-replayed"] == nil)
        }
    }

    @Test func `a key is of one request`() async throws {
        try await OperatorBench.with { bench in
            _ = try await put(bench, "key-1")
            let pins = API.RegistrationPins(keySHA256: String(repeating: "ab", count: 32))
            #expect(try await put(bench, "key-1", pins).problem.code == "idempotency-key-reused")
            let other = try await bench.curl.send(
                "DELETE",
                path,
                as: bench.operator,
                headers: ["Idempotency-Key: key-1"]
            )
            #expect(other.status == 422)
        }
    }

    @Test func `a refusal is kept, too, and a removal without a body`() async throws {
        try await OperatorBench.with { bench in
            func remove() async throws -> Curl.Answer {
                try await bench.curl.send("DELETE", path, as: bench.operator, headers: ["Idempotency-Key: gone"])
            }
            #expect(try await remove().status == 404)
            _ = try await put(bench, "key-1")
            let kept = try await remove()
            #expect(try kept.problem.code == "registration-unknown")
            #expect(kept.headers["idempotent-replayed"] == "true")
            let fresh = ["Idempotency-Key: fresh"]
            for expected in [nil, "true"] {
                let answer = try await bench.curl.send("DELETE", path, as: bench.operator, headers: fresh)
                #expect(answer.status == 204)
                #expect(answer.body.isEmpty)
                #expect(answer.headers["idempotent-replayed"] == expected)
            }
        }
    }

    @Test func `while the first is at work, the same request is told to wait`() async throws {
        try await OperatorBench.with { bench in
            var hash = SHA256()
            hash.update(data: Data("PUT \(OperatorOperation.root)\(path)\n{}".utf8))
            let key = IdempotencyKey(actor: "operator otto", key: "busy", requestSHA256: [UInt8](hash.finalize()))
            let standing = try await bench.record.idempotency.begin(key, at: Date())
            #expect(standing == .taken)
            #expect(try await put(bench, "busy").problem.code == "idempotency-key-at-work")
            try await bench.record.idempotency.abandon(key)
            #expect(try await put(bench, "busy").status == 201)
        }
    }

    @Test func `a key that cannot be one is refused`() async throws {
        try await OperatorBench.with { bench in
            for key in ["two words", String(repeating: "k", count: 256), "schlüssel"] {
                let problem = try await put(bench, key).problem
                #expect(problem.faults?.map(\.at) == ["Idempotency-Key"])
            }
            #expect(try await put(bench, String(repeating: "k", count: 255)).status == 201)
        }
    }
}
