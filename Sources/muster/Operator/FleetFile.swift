import Foundation
import OperatorAPI
import Yams

/// A fleet's description as an operator writes it: YAML, with files of certificates named beside it.
struct FleetFile {
    /// The largest file, in octets.
    private static let octetsMax = 1 << 20
    private static let depthMax = 16

    let description: FleetDescription
    private let path: String
    private let lines: [String: Int]

    init(_ path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(
                .refused,
                "\(path) cannot be read",
                hint: "`muster fleet example` prints one to start from"
            )
        }
        guard data.count <= Self.octetsMax, let text = String(data: data, encoding: .utf8) else {
            throw CommandFailure(.refused, "\(path) is too large, or not UTF-8 text")
        }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch {
            throw CommandFailure(.refused, "\(path) is not YAML: \(Self.words(error))")
        }
        var reading = NodeReading(folder: URL(fileURLWithPath: path).deletingLastPathComponent(), path: path)
        guard let root, case .mapping = root else {
            throw CommandFailure(
                .refused,
                "\(path) is no fleet's description",
                hint: "`muster fleet example` prints one"
            )
        }
        let object = try reading.value(root, at: "", depth: 0)
        self.path = path
        lines = reading.lines
        do throws(DocumentFault) {
            description = try OperatorJSON.decodeStrictly(
                FleetDescription.self,
                from: (try? JSONSerialization.data(withJSONObject: object)) ?? Data()
            )
        } catch {
            throw CommandFailure(
                .refused,
                "\(Self.place(error.path, path: path, lines: reading.lines)) \(error)",
                hint: "`muster fleet example` shows every key"
            )
        }
    }

    /// The server's words with the lines that they are about.
    func located(_ problem: API.Problem) -> CommandFailure {
        let failure = CommandFailure(problem)
        let faults = (problem.faults ?? []).map { fault in
            "\(Self.place(fault.at, path: path, lines: lines)) \(fault.at) \(fault.reason)"
        }
        return CommandFailure(failure.status, failure.text, faults: faults, hint: failure.hint)
    }

    /// `FILE:LINE:` of the nearest that there is.
    private static func place(_ at: String, path: String, lines: [String: Int]) -> String {
        var at = at[...]
        while !at.isEmpty {
            if let line = lines[String(at)] { return "\(path):\(line):" }
            guard let cut = at.lastIndex(where: { $0 == "." || $0 == "[" }) else { break }
            at = at[..<cut]
        }
        return "\(path):"
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            "line \(mark.line): \(problem)"
        case YamlError.duplicatedKeysInMapping(let names, let context):
            "line \(context.mark.line): \(names.first ?? "a key") stands twice"
        default: "it cannot be read"
        }
    }

    /// Turns YAML into what JSON can say, and notes where each value stands.
    private struct NodeReading {
        let folder: URL
        let path: String
        var lines: [String: Int] = [:]

        mutating func value(_ node: Node, at place: String, depth: Int) throws -> Any {
            guard depth < depthMax else {
                throw CommandFailure(.refused, "\(path): the description is nested too deep")
            }
            switch node {
            case .mapping(let mapping):
                var object: [String: Any] = [:]
                for (key, node) in mapping {
                    guard let name = key.string else { continue }
                    let inner = place.isEmpty ? name : "\(place).\(name)"
                    lines[inner] = key.mark?.line
                    if name == "certificateFile" {
                        lines[place + ".certificate"] = key.mark?.line
                        object["certificate"] = try certificate(node, line: key.mark?.line ?? 0)
                    } else if !Self.isNothing(node) {
                        object[name] = try value(node, at: inner, depth: depth + 1)
                    }
                }
                return object
            case .sequence(let sequence):
                var list: [Any] = []
                for (index, node) in sequence.enumerated() {
                    let inner = "\(place)[\(index)]"
                    lines[inner] = node.mark?.line
                    list.append(try value(node, at: inner, depth: depth + 1))
                }
                return list
            case .scalar(let scalar):
                guard scalar.style == .plain || scalar.style == .any else { return scalar.string }
                if let whole = Int64(scalar.string) { return whole }
                switch scalar.string {
                case "true": return true
                case "false": return false
                default: return scalar.string
                }
            case .alias: throw CommandFailure(.refused, "\(path): aliases (*name) are not taken; write it out")
            }
        }

        private func certificate(_ node: Node, line: Int) throws -> String {
            guard let name = node.string else {
                throw CommandFailure(.refused, "\(path):\(line): certificateFile takes a path")
            }
            let file = URL(fileURLWithPath: name, relativeTo: folder).standardizedFileURL.path
            guard let data = FileManager.default.contents(atPath: file), data.count <= octetsMax else {
                throw CommandFailure(.refused, "\(path):\(line): certificateFile \(file) cannot be read")
            }
            return String(decoding: data, as: UTF8.self)
        }

        private static func isNothing(_ node: Node) -> Bool {
            guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
            return ["", "~", "null"].contains(scalar.string)
        }
    }
}
