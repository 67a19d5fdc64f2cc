import Foundation

/// The DeviceIDs that begin with a prefix and come after the last one of the page before, as a range of the index, which
/// sorts them by their bytes.
struct NameRange {
    /// Inclusive.
    let first: String
    /// Exclusive.
    let end: String

    /// DeviceIDs are of printable ASCII, so that below comes none of them, and above it all of the same beginning.
    private static let below = "\u{1}"
    private static let above = "\u{7F}"

    init(prefix: String, after: String?) {
        let next = after.map { $0 + Self.below } ?? ""
        first = next.utf8.lexicographicallyPrecedes(prefix.utf8) ? prefix : next
        end = prefix + Self.above
    }
}

extension Date {
    /// Before and after all that a record holds, and within PostgreSQL's range.
    static let farPast = Date(timeIntervalSince1970: -62_135_596_800)
    static let farFuture = Date(timeIntervalSince1970: 253_402_300_799)
}
