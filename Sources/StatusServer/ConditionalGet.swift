import EST
import Hummingbird

/// Whether who asks has the document already (RFC 9110 section 13).
enum ConditionalGet {
    /// What If-None-Match says goes before the date (sections 13.1.2 and 13.1.3).
    static func isKnown(_ tag: String, modified: Int64, to request: Request) -> Bool {
        if let isNamed = EntityTag.isNamed(tag, by: request) { return isNamed }
        return request.headers[.ifModifiedSince].flatMap { HTTPDate.parse($0) }.map { modified <= $0 } ?? false
    }
}
