import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import OperatorAPI

/// What an operation takes as its body.
enum OperatorBody {
    /// The most octets of a body that is read whole.
    static let octetsMax = 1024 * 1024

    enum Kind: Hashable, Sendable {
        case none
        /// JSON that may be left out.
        case optionalJSON
        case json
        /// Lines, read as they come.
        case lines
    }

    /// Reads a body whole, within bounds of size and time.
    static func read(_ request: Request, as kind: Kind, timeout: Duration) async throws -> [UInt8] {
        guard kind != .lines else {
            try checkEncoding(request)
            return []
        }
        if let text = request.headers[.contentLength], let length = Int(text), length > octetsMax {
            throw tooLarge
        }
        let body = try await withDeadline(timeout) {
            do {
                let buffer = try await request.body.collect(upTo: octetsMax)
                return Array(buffer.readableBytesView)
            } catch is NIOTooManyBytesError {
                throw tooLarge
            } catch {
                throw API.Problem.unreadable("the body did not arrive whole")
            }
        }
        switch kind {
        case .none, .lines:
            guard body.isEmpty else { throw API.Problem.unreadable("send no body") }
        case .optionalJSON:
            if !body.isEmpty { try checkJSON(request) }
        case .json:
            try checkJSON(request)
            guard !body.isEmpty else { throw API.Problem.unreadable("the body is missing") }
        }
        return body
    }

    /// Runs `work`, but not longer than `limit`.
    static func withDeadline<Value: Sendable>(
        _ limit: Duration,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else {
                throw API.Problem.tooSlow("the body took longer than \(limit.components.seconds) s")
            }
            return value
        }
    }

    /// The type of a body, without its parameters.
    static func mediaType(_ request: Request) -> String {
        let field = request.headers[.contentType] ?? ""
        return field.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
    }

    private static func checkJSON(_ request: Request) throws(API.Problem) {
        try checkEncoding(request)
        guard mediaType(request) == OperatorAnswer.json else {
            throw .mediaType("the body must be application/json; say so in Content-Type")
        }
    }

    private static func checkEncoding(_ request: Request) throws(API.Problem) {
        guard request.headers[.contentEncoding] == nil else {
            throw .mediaType("send the body without Content-Encoding")
        }
    }

    private static let tooLarge = API.Problem.tooLarge("the body may have \(octetsMax) octets")
}

extension OperatorOperation {
    var bodyKind: OperatorBody.Kind {
        switch self {
        case .applyFleet, .limitCredential, .putRegistration, .addOperator, .requestRevocations,
            .previewRevocations:
            .json
        case .blockAnchor, .unblockAnchor, .blockCredential, .unblockCredential, .clearCredential, .approve, .reject,
            .revokeDevice, .releaseDevice, .clearDevice:
            .optionalJSON
        case .importRegistrations: .lines
        case .getOpenAPI, .getSelf, .listFleets, .getFleet, .listAnchors, .listCredentials, .getCredential,
            .listRegistrations, .getRegistration, .removeRegistration, .listApprovals, .getApproval, .listDevices,
            .getDevice, .listDeviceCertificates, .listAttempts, .getAttempt, .listIssuers, .getIssuer,
            .getTrustStore, .publishTrustStore, .listOperators, .removeOperator, .listAudit, .verifyAudit,
            .getRevocation, .listAgents, .listRevocationRequests, .getRevocationRequest, .approveRevocations:
            .none
        }
    }
}
