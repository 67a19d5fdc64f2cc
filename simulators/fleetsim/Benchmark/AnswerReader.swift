import NIOCore

/// Finds the ends of answers. The server is ours and each answer has a Content-Length, so this is all that it takes, and
/// it leaves the core to what is measured.
struct AnswerReader {
    /// An answer as far as a measurement looks at it.
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]
    }

    private static let blank = Array("\r\n\r\n".utf8)

    private var pending: [UInt8] = []

    mutating func take(_ bytes: ByteBuffer) { pending.append(contentsOf: bytes.readableBytesView) }

    /// The next whole answer.
    mutating func next() -> Answer? {
        guard let head = pending.firstRange(of: Self.blank) else { return nil }
        let lines = String(decoding: pending[..<head.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let length = lines.lazy.compactMap { line -> Int? in
            let field = line.split(separator: ":", maxSplits: 1)
            guard field.count == 2, field[0].lowercased() == "content-length" else { return nil }
            return Int(field[1].drop { $0 == " " })
        }.first
        let end = head.upperBound + (length ?? 0)
        guard pending.count >= end else { return nil }
        let body = Array(pending[head.upperBound..<end])
        pending.removeFirst(end)
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        return Answer(status: status, body: body)
    }
}
