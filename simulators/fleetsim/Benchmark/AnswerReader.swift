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
        // The status line and the fields; carriage returns stay at their ends.
        let lines = pending[..<bodyStart].split(separator: UInt8(ascii: "\n"))
        let end = bodyStart + (lines.lazy.compactMap(Self.contentLength).first ?? 0)
        guard pending.count >= end else { return nil }
        let body = Array(pending[bodyStart..<end])
        let status = lines.first.flatMap { Self.number($0.drop { $0 != UInt8(ascii: " ") }) }
        pending.removeFirst(end)
        return status.map { Answer(status: $0, body: body) }
    }

    /// `content-length:`, as a field begins that has it, in lower case.
    private static let contentLengthName = Array("content-length:".utf8)

    private static func contentLength(_ line: ArraySlice<UInt8>) -> Int? {
        let isNamed =
            line.count > contentLengthName.count && zip(line, contentLengthName).allSatisfy { $0 | 0x20 == $1 }
        return isNamed ? number(line.dropFirst(contentLengthName.count)) : nil
    }

    /// The decimal number at the beginning, behind spaces; nil if there is none. No longer than a body can be.
    private static func number(_ text: ArraySlice<UInt8>) -> Int? {
        let digits = text.drop { $0 == UInt8(ascii: " ") }.prefix {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        guard (1...digitsMax).contains(digits.count) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static let digitsMax = 9
}
