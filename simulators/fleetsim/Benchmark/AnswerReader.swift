import NIOCore

/// Finds the ends of answers. The server is ours and each answer has a Content-Length, so this is all that it takes, and
/// it leaves the core to what is measured.
struct AnswerReader {
    /// An answer as far as a measurement looks at it.
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]
    }

    private var pending: [UInt8] = []

    mutating func take(_ bytes: ByteBuffer) { pending.append(contentsOf: bytes.readableBytesView) }

    /// Behind the empty line that ends the head. A plain loop, since a general search takes a twentieth of the load's time.
    private var bodyStart: Int? {
        let (cr, lf) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        var index = 3
        while index < pending.count {
            if pending[index] == lf, pending[index - 1] == cr, pending[index - 2] == lf, pending[index - 3] == cr {
                return index + 1
            }
            index += 1
        }
        return nil
    }

    /// The next whole answer.
    mutating func next() -> Answer? {
        guard let bodyStart else { return nil }
        let lines = String(decoding: pending[..<bodyStart], as: UTF8.self).split(separator: "\r\n")
        let length = lines.lazy.compactMap { line -> Int? in
            let field = line.split(separator: ":", maxSplits: 1)
            guard field.count == 2, field[0].lowercased() == "content-length" else { return nil }
            return Int(field[1].drop { $0 == " " })
        }.first
        let end = bodyStart + (length ?? 0)
        guard pending.count >= end else { return nil }
        let body = Array(pending[bodyStart..<end])
        pending.removeFirst(end)
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        return Answer(status: status, body: body)
    }
}
