import Enrollment
import Foundation
import HTTPTypes
import Hummingbird
import OperatorAPI
import Synchronization

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
/// at each request, so that who was removed is out at once, on open connections too; only those who ask about devices
/// thousands of times a second are looked up once a second.
struct OperatorAuthentication: Sendable {
    /// How long who was looked up for a question about a device counts.
    static let attention: Duration = .seconds(1)

    let operators: any OperatorRegister
    let tokens: TokenVerifier?
    private let recent = RecentCallers()

    init(operators: any OperatorRegister, tokens: TokenVerifier?) {
        self.operators = operators
        self.tokens = tokens
    }

    /// Who asks about a device: as `caller`, and by certificate as it was at most `attention` ago. While the record is away
    /// who was let in before stays so: otherwise its absence would lock out every device of every gateway.
    func gateway(of request: Request, at now: Date) async throws -> OperatorCaller {
        guard let certificate = OperatorConnection.current?.certificate, certificate.validity?.contains(now) == true
        else { return try await caller(of: request, at: now) }
        let known = recent.last(certificate.sha256)
        let asked = ContinuousClock.now
        if let known, asked - known.asked < Self.attention { return known.caller }
        do {
            let caller = try await holder(of: certificate, at: now)
            recent.note(RecentCallers.Known(caller: caller, asked: asked), certificate.sha256)
            return caller
        } catch {
            if case RecordError.unavailable = error {
                if let known { return known.caller }
            } else {
                recent.forget(certificate.sha256)
            }
            throw error
        }
    }

    func caller(of request: Request, at now: Date) async throws -> OperatorCaller {
        if let certificate = OperatorConnection.current?.certificate {
            return try await holder(of: certificate, at: now)
        }
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

    private func holder(of certificate: OperatorConnection.Presented, at now: Date) async throws -> OperatorCaller {
        // The handshake looked at the dates too, but a connection may outlive its certificate.
        guard certificate.validity?.contains(now) == true else {
            throw API.Problem.unauthenticated(
                "certificate-not-valid",
                "the certificate is not valid at this time; ask an admin for another one"
            )
        }
        guard let holder = try await operators.holder(ofCertificate: certificate.sha256) else {
            throw API.Problem.unauthenticated(
                "certificate-unknown",
                "the certificate's holder was removed or never added; ask an admin"
            )
        }
        return OperatorCaller(name: holder.name, role: holder.role, by: .certificate)
    }
}

/// Those who asked about devices lately, by SHA-256 of their certificates.
private final class RecentCallers: Sendable {
    struct Known {
        let caller: OperatorCaller
        /// When the record was asked about it.
        let asked: ContinuousClock.Instant
    }

    private let known = Mutex(BoundedCache<[UInt8], Known>(halfMax: 256))

    func last(_ certificate: [UInt8]) -> Known? { known.withLock { $0[certificate] } }

    func note(_ caller: Known, _ certificate: [UInt8]) { known.withLock { $0[certificate] = caller } }

    func forget(_ certificate: [UInt8]) { known.withLock { $0[certificate] = nil } }
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
