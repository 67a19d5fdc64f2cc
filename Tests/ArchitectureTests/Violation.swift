/// One place in the tree that breaks a rule of the house.
struct Violation: Equatable, CustomStringConvertible {
    let path: String
    /// Counted from 1; 0 if the whole file or folder is meant.
    let line: Int
    /// What is wrong, and what to do instead.
    let text: String

    var description: String { line == 0 ? "\(path): \(text)" : "\(path):\(line): \(text)" }
}
