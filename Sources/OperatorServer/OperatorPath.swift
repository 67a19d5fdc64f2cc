import Foundation
import OperatorAPI

/// Which operation a request line means, straight from the table of operations.
enum OperatorPath {
    /// A request line, read.
    enum Reading {
        case operation(OperatorOperation, parameters: [String: String])
        /// There is such a path, for these methods.
        case otherMethods([String])
        case unknown
    }

    /// The most octets of a path.
    static let octetsMax = 1_024

    private struct Template {
        let operation: OperatorOperation
        let segments: [Substring]
    }

    private static let templates = OperatorOperation.allCases.map { operation in
        Template(operation: operation, segments: segments(OperatorOperation.root + operation.path))
    }

    /// - Parameter path: Without the query, as it came.
    static func read(method: String, path: String) -> Reading {
        guard path.utf8.count <= octetsMax, path.hasPrefix("/") else { return .unknown }
        // A name is decoded after the path is cut: an encoded slash is part of a name (RFC 3986 section 2.2).
        let given = segments(path).map { $0.removingPercentEncoding }
        var methods: [String] = []
        for template in templates {
            guard let parameters = match(template.segments, given) else { continue }
            if template.operation.method.rawValue == method {
                return .operation(template.operation, parameters: parameters)
            }
            methods.append(template.operation.method.rawValue)
        }
        return methods.isEmpty ? .unknown : .otherMethods(methods)
    }

    private static func segments(_ path: String) -> [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    private static func match(_ template: [Substring], _ given: [String?]) -> [String: String]? {
        guard template.count == given.count else { return nil }
        var parameters: [String: String] = [:]
        for (expected, segment) in zip(template, given) {
            guard let segment, !segment.isEmpty else { return nil }
            if expected.hasPrefix("{") {
                parameters[String(expected.dropFirst().dropLast())] = segment
            } else if expected != segment {
                return nil
            }
        }
        return parameters
    }
}
