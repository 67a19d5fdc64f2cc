import ArgumentParser

/// What a run is to come to: `issued=900,credential-device-limit=100`. Every device counts under exactly one word; the
/// words are those of `Outcome.code`.
struct Expectation: Hashable, Sendable {
    /// The most words.
    static let wordsMax = 32

    /// Devices by word; a word that is missing stands for none.
    let counts: [String: Int]

    init(counts: [String: Int]) { self.counts = counts }

    /// - Throws: `ValidationError` for a text that is no such list.
    init(_ text: String) throws {
        var counts: [String: Int] = [:]
        let terms = text.split(separator: ",", omittingEmptySubsequences: false)
        guard terms.count <= Self.wordsMax else {
            throw ValidationError("--expect has \(terms.count) words, and \(Self.wordsMax) is the most")
        }
        for term in terms {
            let parts = term.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, ServerReason.isCode(parts[0]), let count = Int(parts[1]),
                (0...FleetSeed.devicesMax).contains(count)
            else {
                throw ValidationError("--expect must be like issued=900,credential-device-limit=100; '\(term)' is not")
            }
            guard counts.updateValue(count, forKey: String(parts[0])) == nil else {
                throw ValidationError("--expect names \(parts[0]) twice")
            }
        }
        self.counts = counts
    }

    /// True if exactly these came.
    func isMet(by counts: [String: Int]) -> Bool {
        self.counts.filter { $0.value > 0 } == counts.filter { $0.value > 0 }
    }

    /// `counts` as `--expect` takes them.
    static func text(_ counts: [String: Int]) -> String {
        counts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
}
