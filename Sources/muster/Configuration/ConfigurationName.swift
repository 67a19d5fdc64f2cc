/// The rules for names of keys: the environment variable of each, the index in a list, and which known name an
/// unknown one is most likely meant to be.
enum ConfigurationName {
    /// The first word of every environment variable of the configuration.
    static let environmentPrefix = "MUSTER"
    /// The longest name of a key that is repeated in a problem.
    static let lengthMax = 80
    /// How many letters an unknown environment variable may differ from a known one and still be taken for a
    /// misspelling. Beyond it, it is let be: Kubernetes alone sets `MUSTER_PORT_8443_TCP_ADDR` and its like for a
    /// service named muster.
    static let environmentDistanceMax = 2

    /// The words that the environment variable of a key is made of, without the prefix.
    static func words(of name: String) -> [String] {
        name.split(separator: ".").flatMap { words(ofComponent: String($0)) }
    }

    /// The environment variable of a key.
    static func environmentVariable(for name: String) -> String {
        ([environmentPrefix] + words(of: name)).joined(separator: "_").uppercased()
    }

    /// The name with each index replaced by `*`: the form in which keys of lists are described.
    static func pattern(of name: String, separator: Character = ".") -> String {
        name.split(separator: separator, omittingEmptySubsequences: false)
            .map { !$0.isEmpty && $0.allSatisfy(\.isWholeNumber) ? "*" : String($0) }
            .joined(separator: String(separator))
    }

    /// The name with its `*` replaced by an index.
    static func name(_ pattern: String, index: Int?) -> String {
        guard let index else { return pattern }
        return pattern.split(separator: ".").map { $0 == "*" ? String(index) : String($0) }.joined(separator: ".")
    }

    /// Whether the text looks like a key's name and may be repeated in a problem. Anything else may be a value that
    /// slipped, perhaps a secret one.
    static func isRepeatable(_ name: String) -> Bool {
        name.utf8.count <= lengthMax && !name.isEmpty
            && name.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII
                    && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                        || "._-".unicodeScalars.contains(scalar))
            }
    }

    /// The candidate that the unknown name most resembles, if any is near enough. Case, `_` and `-` count for
    /// nothing; a right last word in the wrong section counts as near.
    static func nearest(to unknown: String, among candidates: [String]) -> String? {
        let spelled = letters(of: unknown)
        let limit = max(2, spelled.count / 4)
        let lastWord = unknown.split(separator: ".").last.map { letters(of: String($0)) } ?? []
        var best: (score: Int, distance: Int, name: String)?
        for candidate in candidates {
            let distance = editDistance(spelled, letters(of: candidate))
            let movedOnly = candidate.split(separator: ".").last.map { letters(of: String($0)) } == lastWord
            let score = movedOnly ? min(distance, limit) : distance
            guard score <= limit else { continue }
            if let best, (best.score, best.distance) <= (score, distance) { continue }
            best = (score, distance, candidate)
        }
        return best?.name
    }

    /// The environment variable that an unknown one is most likely meant to be.
    static func nearestVariable(to unknown: String, among candidates: [String]) -> String? {
        let spelled = Array(unknown)
        return candidates.map { (distance: editDistance(spelled, Array($0)), name: $0) }
            .filter { $0.distance <= environmentDistanceMax }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    private static func letters(of name: String) -> [Character] {
        name.lowercased().filter { $0 != "_" && $0 != "-" }.map { $0 }
    }

    /// Splits `clientIDPrefix` into `client`, `ID`, `Prefix`.
    private static func words(ofComponent component: String) -> [String] {
        let characters = Array(component)
        var words: [String] = []
        var word = ""
        for (index, character) in characters.enumerated() {
            let afterLower = index > 0 && !characters[index - 1].isUppercase
            let beforeLower = index + 1 < characters.count && characters[index + 1].isLowercase
            if character.isUppercase, !word.isEmpty, afterLower || beforeLower {
                words.append(word)
                word = ""
            }
            word.append(character == "-" ? "_" : character)
        }
        return word.isEmpty ? words : words + [word]
    }

    /// Levenshtein's distance. Both names are at most `lengthMax` long, or cut to it.
    private static func editDistance(_ left: [Character], _ right: [Character]) -> Int {
        let left = left.prefix(lengthMax)
        let right = Array(right.prefix(lengthMax))
        var previous = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                let replaced = previous[column] + (character == other ? 0 : 1)
                current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[right.count]
    }
}
