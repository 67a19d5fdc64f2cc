import Foundation
import Testing

@testable import muster

struct LogLinesTests {
    private func quoted(_ text: String) -> [UInt8] {
        var line: [UInt8] = []
        LogLines.quote(text, to: &line)
        return line
    }

    @Test(arguments: ["", "meter-1", "\"", "\\", "a\"b\\c", "line\nline\r\n\ttab", "\u{0}\u{1F}\u{7F} ", "Zähler ⚙ 1"])
    func `a value is a JSON string that says the same, and cannot start a line (RFC 8259 section 7)`(
        _ text: String
    ) throws {
        let line = quoted(text)
        #expect(try JSONDecoder().decode(String.self, from: Data(line)) == text)
        #expect(line.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    }
}
