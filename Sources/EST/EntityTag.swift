/// Entity tags (RFC 9110 section 8.8.3).
package enum EntityTag {
    /// Whether these lines of If-None-Match name `tag` (section 13.1.2).
    package static func isNamed(_ tag: String, in lines: [String]) -> Bool {
        lines.contains { line in
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
