import Crypto
import Enrollment
import Foundation
import HTTPTypes
import Hummingbird
import OperatorAPI
import SwiftASN1
import X509

/// Who asks, and what they may.
struct OperatorCaller: Hashable, Sendable {
    enum Way: String, Hashable, Sendable {
        case certificate, token
    }

    let name: String
    let role: OperatorRole
    let by: Way
}

/// Says who asks: by the certificate of the connection, and only if there is none by a bearer token. The record is asked
/// at each request, so that who was removed is out at once, on open connections too.
struct OperatorAuthentication: Sendable {
    let operators: any OperatorRegister
    let tokens: TokenVerifier?

    func caller(of request: Request, at now: Date) async throws -> OperatorCaller {
        if let der = OperatorConnection.current?.certificate { return try await holder(of: der, at: now) }
        guard let tokens else {
            throw API.Problem.unauthenticated("certificate-required", "show an operator's certificate in the handshake")
        }
        // RFC 6750 section 2.1; the scheme's name in any case (RFC 9110 section 11.1).
        let fields = request.headers[values: .authorization]
        guard let field = fields.first else {
            throw API.Problem.unauthenticated(
                "credentials-required",
                "show an operator's certificate in the handshake, or send Authorization: Bearer with a token"
            )
        }
        let parts = field.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count == 1, parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw API.Problem.unauthenticated("token-invalid", "Authorization must be Bearer and one token")
        }
        return try await tokens.caller(of: String(parts[1]), at: now)
    }

    /// What a 401 asks for (RFC 9110 section 11.6.1, RFC 6750 section 3).
    func challenge(_ problem: API.Problem) -> String {
        let certificate = "Certificate realm=\"operators\""
        guard tokens != nil else { return certificate }
        let error = problem.code == "token-invalid" ? ", error=\"invalid_token\"" : ""
        return "Bearer realm=\"operators\"\(error), \(certificate)"
    }

    private func holder(of der: [UInt8], at now: Date) async throws -> OperatorCaller {
        // The handshake looked at the dates too, but a connection may outlive its certificate.
        guard let certificate = try? Certificate(derEncoded: der), certificate.notValidBefore <= now,
            now <= certificate.notValidAfter
        else {
            throw API.Problem.unauthenticated(
                "certificate-not-valid",
                "the certificate is not valid at this time; ask an admin for another one"
            )
        }
        guard let holder = try await operators.holder(ofCertificate: [UInt8](SHA256.hash(data: der))) else {
            throw API.Problem.unauthenticated(
                "certificate-unknown",
                "the certificate's holder was removed or never added; ask an admin"
            )
        }
        return OperatorCaller(name: holder.name, role: holder.role, by: .certificate)
    }
}

extension API.Role {
    /// The domain's role of the same name.
    var role: OperatorRole {
        switch self {
        case .gateway: .gateway
        case .viewer: .viewer
        case .operator: .operator
        case .admin: .admin
        }
    }

    init(_ role: OperatorRole) {
        self =
            switch role {
            case .gateway: .gateway
            case .viewer: .viewer
            case .operator: .operator
            case .admin: .admin
            }
    }
}
