import OperatorAPI
import Testing

@testable import muster

/// What people see.
@Suite struct TextTableTests {
    @Test func `columns are aligned, and the last one ends without blanks`() {
        var table = TextTable(headers: ["A", "LONGER", "C"])
        table.rows = [["1", "2", "3"], ["wide one", "x", "y"]]
        #expect(
            table.lines(isColoured: false) == ["A         LONGER  C", "1         2       3", "wide one  x       y"]
        )
    }

    @Test func `colours mark states and change no column`() {
        var table = TextTable(headers: ["STATE", "X"])
        table.rows = [["refused", "1"], ["valid", "2"]]
        let lines = table.lines(isColoured: true)
        #expect(lines[1] == "\u{1B}[31mrefused\u{1B}[0m  1")
        #expect(lines[2] == "\u{1B}[32mvalid  \u{1B}[0m  2")
    }

    @Test(arguments: [
        (401, CommandStatus.notAllowed), (403, .notAllowed), (503, .unavailable), (404, .refused), (422, .refused),
    ])
    func `a problem decides the exit status`(status: Int, expected: CommandStatus) {
        let faults = [API.Problem.Fault(at: "policy", reason: "is wrong")]
        let failure = CommandFailure(API.Problem(title: "T", status: status, detail: "D", code: "c", faults: faults))
        #expect(failure.status == expected)
        #expect(failure.description.hasPrefix("error: D\n  policy: is wrong"))
    }
}
