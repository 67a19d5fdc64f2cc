/// Where a setting, or the lack of one, is to be found by whoever has to mend it.
enum ConfigurationOrigin: Sendable, Hashable {
    /// A place in the configuration file; line and column count from 1.
    case file(path: String, line: Int, column: Int)
    /// The configuration file as a whole: nothing in it is nearer to the matter.
    case wholeFile(path: String)
    /// An environment variable.
    case environment(variable: String)
    /// A `--set` option; `number` counts them from 1, in the order of the command line.
    case commandLine(number: Int)
    /// No file was given, so what is missing is missing everywhere.
    case nowhere
}

extension ConfigurationOrigin: CustomStringConvertible {
    /// The beginning of a problem's line, as compilers write it so that editors can jump there.
    var description: String {
        switch self {
        case .file(let path, let line, let column): "\(path):\(line):\(column)"
        case .wholeFile(let path): path
        case .environment(let variable): variable
        case .commandLine(let number): "--set \(number)"
        case .nowhere: "configuration"
        }
    }

    /// The origin inside a sentence about another key.
    var phrase: String {
        switch self {
        case .file(_, let line, _): "on line \(line)"
        case .wholeFile, .nowhere: "by default"
        case .environment(let variable): "by \(variable)"
        case .commandLine: "by --set"
        }
    }
}

extension ConfigurationOrigin: Comparable {
    /// The reading order: the file from the top, then what the file lacks, the environment, the command line.
    static func < (left: Self, right: Self) -> Bool {
        left.rank < right.rank
    }

    private struct Rank: Comparable {
        let group: Int
        let line: Int
        let column: Int
        let name: String

        static func < (left: Self, right: Self) -> Bool {
            (left.group, left.line, left.column, left.name) < (right.group, right.line, right.column, right.name)
        }
    }

    private var rank: Rank {
        switch self {
        case .file(let path, let line, let column): Rank(group: 0, line: line, column: column, name: path)
        case .wholeFile(let path): Rank(group: 1, line: 0, column: 0, name: path)
        case .nowhere: Rank(group: 1, line: 0, column: 0, name: "")
        case .environment(let variable): Rank(group: 2, line: 0, column: 0, name: variable)
        case .commandLine(let number): Rank(group: 3, line: number, column: 0, name: "")
        }
    }
}
