/// One thing that is wrong with a configuration: where it stands, which key it is about, what is wrong and what would
/// be right. Its text never contains a value that may be a secret.
struct ConfigurationProblem: Error, Sendable, Hashable {
    /// Where to go to mend it.
    let origin: ConfigurationOrigin
    /// The key's full name, such as `est.listen` or `issuers.0.name`; nil if the matter has no key (a file that is
    /// not YAML, for one).
    let key: String?
    /// What is wrong and what would be right, in one line.
    let text: String
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `muster.yaml:12:3: est.listn: unknown key; did you mean est.listen?`
    var description: String {
        guard let key else { return "\(origin): \(text)" }
        return "\(origin): \(key): \(text)"
    }
}

/// All that is wrong with a configuration, at once and in the order in which one would mend it.
struct ConfigurationProblems: Error, Sendable, Equatable {
    /// The problems, by line, each once. Never empty.
    let problems: [ConfigurationProblem]

    /// Sorts the problems; nil if there are none.
    init?(_ problems: [ConfigurationProblem]) {
        guard !problems.isEmpty else { return nil }
        self.problems = Self.sorted(problems)
    }

    /// A single problem that leaves nothing else to look at, such as a file that is not there.
    init(_ problem: ConfigurationProblem) {
        self.problems = [problem]
    }

    private static func sorted(_ problems: [ConfigurationProblem]) -> [ConfigurationProblem] {
        Set(problems).sorted { left, right in
            if left.origin != right.origin { return left.origin < right.origin }
            return (left.key ?? "", left.text) < (right.key ?? "", right.text)
        }
    }
}

extension ConfigurationProblems: CustomStringConvertible {
    /// One line a problem.
    var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
