import Foundation

/// What a scenario of any kind came to, for people and for programs.
protocol RunReport: Encodable, Sendable {
    var isInterrupted: Bool { get }
    /// True if the whole was played and every limit is met.
    var isSuccess: Bool { get }
    /// The whole as lines of text.
    var text: String { get }
    /// The whole as a page.
    var page: ReportPage { get }
}

extension RunReport {
    var verdict: RunVerdict { isInterrupted ? .interrupted : isSuccess ? .passed : .failed }

    /// The whole as JSON, keys in order.
    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
