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
        if let colon = text.firstIndex(of: ":"), text[..<colon].utf8.allSatisfy({ isCode($0) }) {
            return shortened(String(text[..<colon]))
        }
        return text.isEmpty ? "-" : shortened(text)
    }

    /// `text` on one line, of bounded length.
    static func shortened(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) }.prefix(lengthMax))
    }

    private static func isCode(_ octet: UInt8) -> Bool {
        (0x61...0x7A).contains(octet) || (0x30...0x39).contains(octet) || octet == 0x2D || octet == 0x5F
    }
}
