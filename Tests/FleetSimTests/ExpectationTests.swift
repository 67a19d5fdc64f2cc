import ArgumentParser
import Testing

@testable import fleetsim

@Suite struct `An expectation` {
    @Test func `is met by exactly its counts`() throws {
        let expected = try Expectation("issued=900,credential-device-limit=100")
        #expect(expected.isMet(by: ["issued": 900, "credential-device-limit": 100]))
        #expect(!expected.isMet(by: ["issued": 901, "credential-device-limit": 99]))
        #expect(!expected.isMet(by: ["issued": 900]))
        #expect(!expected.isMet(by: ["issued": 900, "credential-device-limit": 100, "pending": 1]))
    }

    @Test func `of none of a word is met by its absence`() throws {
        let expected = try Expectation("issued=2,pending=0")
        #expect(expected.isMet(by: ["issued": 2]))
        #expect(!expected.isMet(by: ["issued": 2, "pending": 1]))
    }

    @Test(arguments: [
        "", "issued", "issued=", "=3", "issued=x", "issued=-1", "Issued=3", "issued=1,", "a=1=2", "a=1,a=2",
    ])
    func `that is no list of words and counts is refused`(text: String) {
        #expect(throws: ValidationError.self) { try Expectation(text) }
    }

    @Test func `has no more words than can be read`() {
        let text = (1...33).map { "r\($0)=1" }.joined(separator: ",")
        #expect(throws: ValidationError.self) { try Expectation(text) }
    }

    @Test func `is written as it is read`() throws {
        #expect(Expectation.text(try Expectation("b=2,a=1").counts) == "a=1,b=2")
    }

    @Test(
        arguments: [
            (Outcome.enrolled, "issued"),
            (.pending, "pending"),
            (.refused(status: 403, reason: "credential-rate-limit"), "credential-rate-limit"),
            (.refused(status: 403, reason: "-"), "http-403"),
            (.refused(status: 404, reason: "there is no such fleet"), "http-404"),
            (.gaveUp(reason: "503 -"), "gave-up"),
            (.failed(stage: .connect, reason: "connection refused"), "failed"),
            (.distrusted(stage: .check, reason: "x"), "distrusted"),
            (.interrupted, "interrupted"),
        ]
    )
    func `counts every outcome under one word`(outcome: Outcome, word: String) throws {
        #expect(outcome.code == word)
        #expect(try Expectation("\(outcome.code)=1").isMet(by: [word: 1]))
    }
}
