import Foundation
import OperatorAPI
import TestPeers

/// The curl program as an operator's client.
struct Curl: Sendable {
    /// An answer, taken apart.
    struct Answer: Sendable {
        let status: Int
        /// By lower-case name.
        let headers: [String: String]
        let body: [UInt8]

        func decode<Body: Decodable>(_ type: Body.Type) throws -> Body {
            try OperatorJSON.decode(type, from: Data(body))
        }

        /// The problem details, which a refusal must be.
        var problem: API.Problem {
            get throws {
                guard headers["content-type"] == "application/problem+json" else { throw NotAProblem(answer: self) }
                return try decode(API.Problem.self)
            }
        }

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct NotAProblem: Error { let answer: Answer }
    struct NoAnswer: Error { let words: String }

    let base: String
    let caFile: String

    /// How a client says who it is.
    func identity(_ holder: OperatorBench.Holder?) -> [String] {
        guard let holder else { return [] }
        return ["--cert", holder.certificateFile, "--key", holder.keyFile]
    }

    /// One request, on a connection of its own.
    /// - Parameters:
    ///   - path: Below the API's root, as it goes on the wire.
    ///   - type: Content-Type; JSON if there is a body.
    func send(
        _ method: String,
        _ path: String,
        as holder: OperatorBench.Holder?,
        body: [UInt8]? = nil,
        type: String? = nil,
        headers: [String] = []
    ) async throws -> Answer {
        var arguments = ["-sS", "-i", "--path-as-is", "--cacert", caFile, "--max-time", "60", "-X", method]
        arguments += identity(holder)
        for header in headers + ["Expect:"] { arguments += ["-H", header] }
        if body != nil {
            arguments += ["-H", "Content-Type: \(type ?? "application/json")", "--data-binary", "@-"]
        } else if let type {
            arguments += ["-H", "Content-Type: \(type)"]
        }
        let result = try await Program.run("curl", arguments + [base + path], input: body ?? [])
        guard result.succeeded else { throw NoAnswer(words: result.errorOutput) }
        return try Self.parse(result.output)
    }

    func send(
        _ method: String,
        _ path: String,
        as holder: OperatorBench.Holder?,
        json: some Encodable,
        headers: [String] = []
    ) async throws -> Answer {
        let body = [UInt8](try OperatorJSON.encode(json))
        return try await send(method, path, as: holder, body: body, headers: headers)
    }

    func get(_ path: String, as holder: OperatorBench.Holder?, headers: [String] = []) async throws -> Answer {
        try await send("GET", path, as: holder, headers: headers)
    }

    /// Several requests one after the other on one connection: their statuses.
    func statuses(_ requests: [(method: String, path: String)], as holder: OperatorBench.Holder?) async throws -> [Int]
    {
        var arguments: [String] = []
        for (index, request) in requests.enumerated() {
            if index > 0 { arguments.append("--next") }
            arguments += ["-sS", "--cacert", caFile, "--max-time", "60", "-X", request.method]
            arguments += identity(holder) + ["-o", "/dev/null", "-w", "%{http_code} %{num_connects}\n"]
            arguments.append(base + request.path)
        }
        let result = try await Program.run("curl", arguments)
        guard result.succeeded else { throw NoAnswer(words: result.errorOutput) }
        return result.text.split(separator: "\n").compactMap { Int($0.prefix { $0 != " " }) }
    }

    private static func parse(_ output: [UInt8]) throws -> Answer {
        let mark = Array("\r\n\r\n".utf8)
        guard let end = output.indices.first(where: { output[$0...].starts(with: mark) }) else {
            throw NoAnswer(words: String(decoding: output, as: UTF8.self))
        }
        let lines = String(decoding: output[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count > 1, let status = Int(words[1]) else {
            throw NoAnswer(words: String(decoding: output, as: UTF8.self))
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
        }
        return Answer(status: status, headers: headers, body: Array(output[(end + mark.count)...]))
    }
}
