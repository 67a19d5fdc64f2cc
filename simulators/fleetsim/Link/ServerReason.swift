import EST
import Foundation

/// The reason code in a server's refusal, to count by.
enum ServerReason {
    /// The longest that is kept.
    static let lengthMax = 60

    private struct Problem: Decodable {
        let reason: String?
        let title: String?
    }

    /// The code that the server gave; the beginning of its words if it gave none, and `-` for no words at all.
    static func code(contentType: String?, body: [UInt8]) -> String {
        if let contentType, ESTMediaType.problem.matches(contentType: contentType),
            let problem = try? JSONDecoder().decode(Problem.self, from: Data(body))
        {
            return shortened(problem.reason ?? problem.title ?? "-")
        }
        let line = body.prefix { $0 != 0x0A && $0 != 0x0D }.prefix(lengthMax * 4)
        let text = String(decoding: line, as: UTF8.self)
        // `code: words`, as Muster writes it in plain text.
        if let colon = text.firstIndex(of: ":"), isCode(text[..<colon]) {
            return shortened(String(text[..<colon]))
        }
        return text.isEmpty ? "-" : shortened(text)
    }

    /// `text` on one line, of bounded length.
    static func shortened(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) }.prefix(lengthMax))
    }

    /// True for what a reason code is written like: a small letter, then small letters, digits, `-` and `_`.
    static func isCode(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, isLetter(first), text.utf8.count <= lengthMax else { return false }
        return text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F }
    }

    private static func isLetter(_ octet: UInt8) -> Bool { (0x61...0x7A).contains(octet) }
}
