import Enrollment
import Foundation
import OperatorAPI
import PKI

/// A request's query, read strictly: each parameter once, none that the operation does not know, and each what it must
/// be. A fault names the parameter.
struct OperatorQuery: Sendable {
    static let limitStandard = 100
    static let limitMax = 1_000
    /// The most octets of a query.
    static let octetsMax = 4_096
    private static let textMax = 200

    /// As given, decoded.
    let values: [String: String]

    /// - Parameter text: What follows the question mark, or nil.
    init(_ text: Substring?, of operation: OperatorOperation) throws(API.Problem) {
        guard let text, !text.isEmpty else {
            values = [:]
            return
        }
        guard text.utf8.count <= Self.octetsMax else {
            throw .parameter("the query", "has more than \(Self.octetsMax) octets")
        }
        let known = operation.queryParameters
        var values: [String: String] = [:]
        for pair in text.split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = Self.decode(parts.count > 1 ? parts[1] : "") else {
                throw .parameter("the query", "is not percent-encoded UTF-8")
            }
            guard known.contains(name) else {
                let words = known.isEmpty ? "takes none" : "takes \(known.sorted().joined(separator: ", "))"
                throw .parameter(name.plainWord, "is no parameter of \(operation.rawValue), which \(words)")
            }
            guard values.updateValue(value, forKey: name) == nil else { throw .parameter(name, "stands twice") }
        }
        self.values = values
    }

    /// `+` stands for a space, as forms have it.
    private static func decode(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }

    func limit() throws(API.Problem) -> Int {
        guard let text = values["limit"] else { return Self.limitStandard }
        guard text.utf8.count <= 4, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let limit = Int(text),
            (1...Self.limitMax).contains(limit)
        else { throw .parameter("limit", "must be a whole number from 1 to \(Self.limitMax)") }
        return limit
    }

    func flag(_ name: String) throws(API.Problem) -> Bool {
        switch values[name] {
        case nil, "false": false
        case "true": true
        default: throw .parameter(name, "must be true or false")
        }
    }

    func time(_ name: String) throws(API.Problem) -> Date? {
        guard let text = values[name] else { return nil }
        guard let time = ReadableTime.parse(text) else {
            throw .parameter(name, "must be a time such as 2027-01-31T12:00:00Z")
        }
        return time
    }

    func sha256(_ name: String) throws(API.Problem) -> [UInt8]? {
        guard let text = values[name] else { return nil }
        guard let hash = HexText.sha256(text) else {
            throw .parameter(name, "must be a SHA-256 in 64 lower-case hexadecimal digits")
        }
        return hash
    }

    func serialNumber(_ name: String) throws(API.Problem) -> [UInt8]? {
        guard let text = values[name] else { return nil }
        guard let octets = HexText.octets(text, count: 1...20) else {
            throw .parameter(name, "must be a serial number in 2 to 40 lower-case hexadecimal digits, two an octet")
        }
        return octets
    }

    /// A device's name.
    func device(_ name: String) throws(API.Problem) -> DeviceID? {
        guard let text = values[name] else { return nil }
        guard let device = DeviceID(text) else { throw .parameter(name, "must be 1 to 40 of A-Z a-z 0-9 . _ -") }
        return device
    }

    /// What names begin with; empty if it is not given.
    func prefix() throws(API.Problem) -> String {
        guard let text = values["prefix"], !text.isEmpty else { return "" }
        guard NamePrefix.isOne(text) else { throw .parameter("prefix", NamePrefix.rule) }
        return text
    }

    func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ name: String,
        _ type: Choice.Type
    ) throws(API.Problem) -> Choice? {
        guard let text = values[name] else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw .parameter(name, "must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }

    /// Free text that a record takes.
    func text(_ name: String) throws(API.Problem) -> String? {
        guard let text = values[name] else { return nil }
        guard (1...Self.textMax).contains(text.unicodeScalars.count), text.isPlain else {
            throw .parameter(name, "must be 1 to \(Self.textMax) characters that print")
        }
        return text
    }
}

extension OperatorOperation {
    private static let paging: Set<String> = ["limit", "cursor"]

    /// What may stand in the query.
    var queryParameters: Set<String> {
        switch self {
        case .listFleets, .listAnchors, .listIssuers, .listOperators, .listAgents, .listRevocationRequests: Self.paging
        case .listCredentials, .listApprovals: Self.paging.union(["state"])
        case .listRegistrations: Self.paging.union(["prefix"])
        case .listDevices:
            Self.paging.union([
                "prefix", "enrolledFrom", "enrolledUntil", "expiringFrom", "expiringUntil", "credential", "key",
                "serial",
            ])
        case .listDeviceCertificates: ["limit"]
        case .listAttempts:
            Self.paging.union(["fleet", "device", "outcome", "reason", "credential", "from", "until"])
        case .listAudit: Self.paging.union(["subject"])
        case .applyFleet: ["dryRun"]
        case .getOpenAPI, .getSelf, .getFleet, .blockAnchor, .unblockAnchor, .getCredential, .blockCredential,
            .unblockCredential, .clearCredential, .limitCredential, .getRegistration, .putRegistration,
            .removeRegistration, .importRegistrations, .getApproval, .approve, .reject, .getDevice, .getAttempt,
            .getIssuer, .getTrustStore, .publishTrustStore, .addOperator, .removeOperator, .verifyAudit,
            .revokeDevice, .releaseDevice, .clearDevice, .previewRevocations, .getRevocation, .requestRevocations,
            .getRevocationRequest, .approveRevocations:
            []
        }
    }
}
