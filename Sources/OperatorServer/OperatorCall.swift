import Enrollment
import Foundation
import Hummingbird
import OperatorAPI
import PKI

/// A request that may be carried out: its operation, who asks, and what came with it.
struct OperatorCall: Sendable {
    let operation: OperatorOperation
    /// The names in the path.
    let parameters: [String: String]
    let query: OperatorQuery
    let caller: OperatorCaller
    /// Empty for an import, whose body is read as it comes.
    let body: [UInt8]
    let request: Request
    let at: Date

    /// Who the record says it was.
    var actor: String { "operator \(caller.name)" }

    /// The body, strictly.
    func decode<Body: Codable>(_ type: Body.Type) throws(DocumentFault) -> Body {
        try OperatorJSON.decodeStrictly(type, from: Data(body))
    }

    /// A body that may be left out.
    func comment() throws -> String? {
        try body.isEmpty ? nil : comment(decode(API.Comment.self).comment)
    }

    /// A comment in a body; nil if it says nothing.
    func comment(_ comment: String?) throws(API.Problem) -> String? {
        guard let comment, !comment.isEmpty else { return nil }
        guard comment.unicodeScalars.count <= API.Comment.lengthMax, comment.isPlain else {
            throw API.Problem.invalid([
                API.Problem.Fault(
                    at: "comment",
                    reason: "must be at most \(API.Comment.lengthMax) characters that print on one line"
                )
            ])
        }
        return comment
    }

    func fleetName() throws(API.Problem) -> FleetName {
        try name("fleet", "must be 1 to 23 of a-z 0-9 - and no name of an EST operation") { FleetName($0) }
    }

    func device() throws(API.Problem) -> DeviceID {
        try name("device", "must be 1 to 40 of A-Z a-z 0-9 . _ -") { DeviceID($0) }
    }

    func credential() throws(API.Problem) -> [UInt8] {
        try name("credential", "must be a SHA-256 in 64 lower-case hexadecimal digits") { HexText.sha256($0) }
    }

    func anchor() throws(API.Problem) -> String {
        try name("anchor", AnchorName.rule) { AnchorName.isOne($0) ? $0 : nil }
    }

    func issuer() throws(API.Problem) -> String {
        try name("issuer", AnchorName.rule) { AnchorName.isOne($0) ? $0 : nil }
    }

    func operatorName() throws(API.Problem) -> OperatorName {
        try name("operator", "must be 1 to 40 of a-z 0-9 . _ -, a letter or digit first") { OperatorName($0) }
    }

    func approval() throws(API.Problem) -> Int64 {
        try name("approval", "must be a whole number") { text in
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return Int64(text)
        }
    }

    func revocationRequest() throws(API.Problem) -> Int64 {
        try name("request", "must be a whole number") { text in
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return Int64(text)
        }
    }

    func attempt() throws(API.Problem) -> UUID {
        try name("attempt", "must be a UUID, as an enrollment's answer carries it in Request-Id") {
            UUID(uuidString: $0)
        }
    }

    private func name<Name>(
        _ parameter: String,
        _ rule: String,
        _ parse: (String) -> Name?
    ) throws(API.Problem) -> Name {
        guard let name = parse(parameters[parameter] ?? "") else { throw .parameter(parameter, rule) }
        return name
    }
}

/// What DeviceIDs begin with.
enum NamePrefix {
    static let rule = "must be at most 40 of A-Z a-z 0-9 . _ -"

    /// What a name begins with is not always one itself: `.` is not.
    static func isOne(_ text: String) -> Bool {
        text.isEmpty || DeviceID("a" + text.dropFirst()) != nil && DeviceID(String(text.prefix(1)) + "a") != nil
    }
}

/// Names of anchors and issuers.
enum AnchorName {
    static let rule = "must be 1 to 40 of a-z 0-9 -"
    private static let lengthMax = 40

    static func isOne(_ text: String) -> Bool {
        (1...lengthMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}
