/// Whether who asks has the document already (RFC 9110 section 13).
package enum ConditionalGet {
    /// - Parameters:
    ///   - tag: That of the document, in quotes.
    ///   - modified: What it is given out with as Last-Modified.
    ///   - ifNoneMatch: The lines of that field.
    ///   - ifModifiedSince: That field, if there is one.
    package static func isKnown(
        _ tag: String,
        modified: Int64,
        ifNoneMatch: [String],
        ifModifiedSince: String?
    ) -> Bool {
        // What If-None-Match says goes before the date (sections 13.1.2 and 13.1.3).
        guard ifNoneMatch.isEmpty else { return EntityTag.isNamed(tag, in: ifNoneMatch) }
        return ifModifiedSince.flatMap { HTTPDate.parse($0) }.map { modified <= $0 } ?? false
    }
}
