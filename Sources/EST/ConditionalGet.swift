/// Whether who asks has the document already (RFC 9110 section 13).
package enum ConditionalGet {
    /// - Parameters:
    ///   - tag: That of the document, in quotes.
    ///   - modified: What it is given out with as Last-Modified; nil if another document may have been too.
    ///   - ifNoneMatch: The lines of that field.
    ///   - ifModifiedSince: That field, if there is one.
    package static func isKnown(
        _ tag: String,
        modified: Int64?,
        ifNoneMatch: [String],
        ifModifiedSince: String?
    ) -> Bool {
        // What If-None-Match says goes before the date (sections 13.1.2 and 13.1.3).
        guard ifNoneMatch.isEmpty else { return EntityTag.isNamed(tag, in: ifNoneMatch) }
        guard let modified, let ifModifiedSince else { return false }
        // That date and no other: a later one is of another clock, and says nothing of what its owner has.
        return HTTPDate.parse(ifModifiedSince) == modified
    }
}
