/// Every operation of the operator API: the one table of what there is, where it is, and who may use it.
package enum OperatorOperation: String, CaseIterable, Sendable {
    case getOpenAPI, getSelf
    case listFleets, getFleet, applyFleet
    case listAnchors, blockAnchor, unblockAnchor
    case listCredentials, getCredential, blockCredential, unblockCredential, clearCredential, limitCredential
    case listRegistrations, getRegistration, putRegistration, removeRegistration, importRegistrations
    case listApprovals, getApproval, approve, reject
    case listDevices, getDevice, listDeviceCertificates
    case revokeDevice, releaseDevice, clearDevice, previewRevocations, getRevocation, listAgents
    case requestRevocations, listRevocationRequests, getRevocationRequest, approveRevocations
    case listAttempts, getAttempt
    case listIssuers, getIssuer
    case getTrustStore, publishTrustStore
    case listOperators, addOperator, removeOperator
    case listAudit, verifyAudit

    package enum Method: String, Sendable {
        case get = "GET"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    /// Where all paths begin.
    package static let root = "/api/v1"

    package var method: Method { place.0 }

    /// Below the root; `{…}` stands for a name.
    package var path: String { place.1 }

    /// The least role that may. Nil: anyone who may connect.
    package var role: API.Role? { place.2 }

    /// True if it changes something. What a question needs may be too long for a query.
    package var isWrite: Bool { method != .get && self != .previewRevocations }

    private var place: (Method, String, API.Role?) {
        switch self {
        case .getOpenAPI: (.get, "/openapi.yaml", nil)
        case .getSelf: (.get, "/self", .viewer)
        case .listFleets: (.get, "/fleets", .viewer)
        case .getFleet: (.get, "/fleets/{fleet}", .viewer)
        case .applyFleet: (.put, "/fleets/{fleet}", .admin)
        case .listAnchors: (.get, "/fleets/{fleet}/anchors", .viewer)
        case .blockAnchor: (.post, "/fleets/{fleet}/anchors/{anchor}/block", .operator)
        case .unblockAnchor: (.post, "/fleets/{fleet}/anchors/{anchor}/unblock", .operator)
        case .listCredentials: (.get, "/fleets/{fleet}/credentials", .viewer)
        case .getCredential: (.get, "/fleets/{fleet}/credentials/{credential}", .viewer)
        case .blockCredential: (.post, "/fleets/{fleet}/credentials/{credential}/block", .operator)
        case .unblockCredential: (.post, "/fleets/{fleet}/credentials/{credential}/unblock", .operator)
        case .clearCredential: (.post, "/fleets/{fleet}/credentials/{credential}/clear", .operator)
        case .limitCredential: (.put, "/fleets/{fleet}/credentials/{credential}/limits", .operator)
        case .listRegistrations: (.get, "/fleets/{fleet}/registrations", .viewer)
        case .getRegistration: (.get, "/fleets/{fleet}/registrations/{device}", .viewer)
        case .putRegistration: (.put, "/fleets/{fleet}/registrations/{device}", .operator)
        case .removeRegistration: (.delete, "/fleets/{fleet}/registrations/{device}", .operator)
        case .importRegistrations: (.post, "/fleets/{fleet}/registrations", .operator)
        case .listApprovals: (.get, "/fleets/{fleet}/approvals", .viewer)
        case .getApproval: (.get, "/fleets/{fleet}/approvals/{approval}", .viewer)
        case .approve: (.post, "/fleets/{fleet}/approvals/{approval}/approve", .operator)
        case .reject: (.post, "/fleets/{fleet}/approvals/{approval}/reject", .operator)
        case .listDevices: (.get, "/fleets/{fleet}/devices", .viewer)
        case .getDevice: (.get, "/fleets/{fleet}/devices/{device}", .viewer)
        case .listDeviceCertificates: (.get, "/fleets/{fleet}/devices/{device}/certificates", .viewer)
        case .revokeDevice: (.post, "/fleets/{fleet}/devices/{device}/revoke", .operator)
        case .releaseDevice: (.post, "/fleets/{fleet}/devices/{device}/release", .operator)
        case .clearDevice: (.post, "/fleets/{fleet}/devices/{device}/clear", .operator)
        case .previewRevocations: (.post, "/fleets/{fleet}/revocation-preview", .viewer)
        case .getRevocation: (.get, "/fleets/{fleet}/devices/{device}/revocation", .viewer)
        case .listAgents: (.get, "/fleets/{fleet}/agents", .viewer)
        case .requestRevocations: (.post, "/fleets/{fleet}/revocation-requests", .operator)
        case .listRevocationRequests: (.get, "/fleets/{fleet}/revocation-requests", .viewer)
        case .getRevocationRequest: (.get, "/fleets/{fleet}/revocation-requests/{request}", .viewer)
        case .approveRevocations: (.post, "/fleets/{fleet}/revocation-requests/{request}/approve", .operator)
        case .listAttempts: (.get, "/attempts", .viewer)
        case .getAttempt: (.get, "/attempts/{attempt}", .viewer)
        case .listIssuers: (.get, "/issuers", .viewer)
        case .getIssuer: (.get, "/issuers/{issuer}", .viewer)
        case .getTrustStore: (.get, "/fleets/{fleet}/truststore", .viewer)
        case .publishTrustStore: (.post, "/fleets/{fleet}/truststore/publish", .operator)
        case .listOperators: (.get, "/operators", .admin)
        case .addOperator: (.post, "/operators", .admin)
        case .removeOperator: (.delete, "/operators/{operator}", .admin)
        case .listAudit: (.get, "/audit", .viewer)
        case .verifyAudit: (.get, "/audit/verdict", .viewer)
        }
    }
}
