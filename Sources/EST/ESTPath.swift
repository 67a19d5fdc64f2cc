/// What a request's path asks for.
package struct ESTRoute: Hashable, Sendable {
    /// The CA label, if the path has one; a name that may stand there, not one that is known to exist.
    package let label: String?
    package let operation: ESTOperation

    package init(label: String?, operation: ESTOperation) {
        self.label = label
        self.operation = operation
    }
}

/// Why a path asks for nothing that EST has. Each is a 404 (EST-02).
package enum ESTPathRefusal: Hashable, Sendable, CustomStringConvertible {
    /// Not below `/.well-known/est/`, or deeper than a label and an operation.
    case notAnESTPath
    /// What stands where a label belongs cannot be one.
    case notALabel
    /// What stands where the operation belongs is none, spelled exactly as RFC 7030 does.
    case unknownOperation
    /// EST has no query strings; one is refused rather than ignored, so that one resource has one name.
    case query

    package var description: String {
        switch self {
        case .notAnESTPath: "not an EST path; EST is served below /.well-known/est/"
        case .notALabel: "not an EST label; a label is 1 to 23 of a-z, 0-9 and -, and not an operation's name"
        case .unknownOperation: "unknown EST operation"
        case .query: "EST paths take no query"
        }
    }
}

/// The paths of EST: `/.well-known/est[/<label>]/<operation>` (RFC 7030 section 3.2.2).
package enum ESTPath {
    /// What all EST paths begin with.
    package static let prefix = "/.well-known/est/"
    /// The longest path that is looked at, in octets; the longest that means something is shorter.
    package static let lengthMax = 128

    /// What a path means.
    package enum Parsed: Hashable, Sendable {
        case route(ESTRoute)
        case refused(ESTPathRefusal)
    }

    /// Reads a request target as it came, with no normalisation whatever: no percent-decoding, no case folding, no
    /// merging of slashes, no dot segments. What differs from the canonical spelling by one octet is another path,
    /// and so never another label's CA (EST-02).
    package static func parse(_ path: String) -> Parsed {
        let octets = path.utf8
        guard octets.count <= lengthMax, octets.starts(with: prefix.utf8) else { return .refused(.notAnESTPath) }
        if octets.contains(UInt8(ascii: "?")) { return .refused(.query) }
        let rest = path[octets.index(octets.startIndex, offsetBy: prefix.utf8.count)...]
        let parts = rest.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 2, omittingEmptySubsequences: false)
        switch parts.count {
        case 1:
            return route(label: nil, operation: parts[0])
        case 2:
            // `/est/cacerts/` is an operation with something after it, not a label named cacerts.
            guard let label = ESTLabel(Substring(parts[0])) else { return .refused(.notALabel) }
            return route(label: label.text, operation: parts[1])
        default:
            return .refused(.notAnESTPath)
        }
    }

    /// The path of an operation, with or without a label.
    package static func path(of operation: ESTOperation, label: ESTLabel? = nil) -> String {
        guard let label else { return prefix + operation.rawValue }
        return prefix + label.text + "/" + operation.rawValue
    }

    private static func route(label: String?, operation: Substring.UTF8View) -> Parsed {
        guard let operation = ESTOperation(rawValue: String(Substring(operation))) else {
            return .refused(.unknownOperation)
        }
        return .route(ESTRoute(label: label, operation: operation))
    }
}
