import HTTPTypes
import Hummingbird

/// Entity tags (RFC 9110 section 8.8.3).
enum EntityTag {
    /// Whether the request's If-None-Match names `tag` (section 13.1.2); nil if it has no such field.
    static func isNamed(_ tag: String, by request: Request) -> Bool? {
        let lines = request.headers[values: .ifNoneMatch]
        guard !lines.isEmpty else { return nil }
        return lines.contains { line in
            line.split(separator: ",").contains { candidate in
                let text = candidate.trimming { $0 == " " || $0 == "\t" }
                return text == "*" || text == tag || text == "W/\(tag)"
            }
        }
    }
}

extension Substring {
    fileprivate func trimming(_ isOut: (Character) -> Bool) -> Substring {
        let start = drop(while: isOut)
        return start.lastIndex { !isOut($0) }.map { start[...$0] } ?? ""
    }
}
