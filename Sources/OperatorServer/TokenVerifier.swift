import Enrollment
import Foundation
import JWTKit
import Logging
import OperatorAPI
import PKI

/// Verifies bearer tokens (RFC 7519, RFC 8725). The keys come from the key set alone, whatever a token's header says,
/// and each key verifies the algorithms of its own kind alone.
struct TokenVerifier: Sendable {
    /// The most octets of a token.
    private static let tokenOctetsMax = 8 * 1024
    private static let subjectLengthMax = 128

    private let verification: TokenVerification
    private let keys: TokenKeys

    init(_ verification: TokenVerification, logger: Logger) {
        self.verification = verification
        keys = TokenKeys(read: verification.keySet, logger: logger)
    }

    func caller(of token: String, at now: Date) async throws -> OperatorCaller {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard token.utf8.count <= Self.tokenOctetsMax, parts.count == 3 else { throw invalid("it is no JWT") }
        guard let header = Self.object(parts[0]), let name = header["alg"] as? String else {
            throw invalid("its header cannot be read")
        }
        guard let algorithm = TokenAlgorithm(rawValue: name) else {
            let accepted = TokenAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw invalid("its algorithm is none of \(accepted)")
        }
        // What must be understood and is not (RFC 7515 section 4.1.11).
        guard header["crit"] == nil else { throw invalid("its header has crit") }
        let identifier = header["kid"] as? String
        guard let key = try await keys.key(identifier, for: algorithm, at: now) else {
            throw invalid("no key of the key set is its kid's and fits its algorithm")
        }
        do {
            let collection = try await JWTKeyCollection().add(jwk: key)
            _ = try await collection.verify(token, as: SignedToken.self)
        } catch {
            throw invalid("its signature does not verify")
        }
        guard let claims = Self.object(parts[1]) else { throw invalid("its claims cannot be read") }
        return try caller(claims, at: now)
    }

    private func caller(_ claims: [String: Any], at now: Date) throws(API.Problem) -> OperatorCaller {
        let leeway = verification.leeway.inSeconds
        let seconds = now.timeIntervalSince1970
        guard claims["iss"] as? String == verification.issuer else { throw invalid("it is of another issuer") }
        guard Self.texts(claims["aud"]).contains(verification.audience) else {
            throw invalid("it is for another audience")
        }
        guard let expiry = claims["exp"] as? Double else { throw invalid("it has no exp") }
        guard seconds < expiry + leeway else { throw invalid("it has expired") }
        if let notBefore = claims["nbf"] {
            guard let notBefore = notBefore as? Double, seconds >= notBefore - leeway else {
                throw invalid("it is not valid yet")
            }
        }
        guard let subject = claims["sub"] as? String, (1...Self.subjectLengthMax).contains(subject.utf8.count),
            subject.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw invalid("its sub is not 1 to \(Self.subjectLengthMax) visible ASCII characters") }
        guard let role = role(in: claims) else {
            throw .forbidden(
                "no-role",
                "the token's claim \(verification.rolesClaim) holds none of "
                    + OperatorRole.allCases.map { verification.rolePrefix + $0.rawValue }.joined(separator: ", ")
            )
        }
        return OperatorCaller(name: subject, role: role, by: .token)
    }

    /// The highest of the roles that the claim holds.
    private func role(in claims: [String: Any]) -> OperatorRole? {
        var value = claims[verification.rolesClaim]
        if value == nil {
            value = verification.rolesClaim.split(separator: ".").reduce(claims as Any?) { value, name in
                (value as? [String: Any])?[String(name)]
            }
        }
        return Self.texts(value).compactMap { text in
            guard text.hasPrefix(verification.rolePrefix) else { return nil }
            return OperatorRole(rawValue: String(text.dropFirst(verification.rolePrefix.count)))
        }.max()
    }

    private func invalid(_ why: String) -> API.Problem {
        .unauthenticated("token-invalid", "the token is not taken: \(why)")
    }

    private static func texts(_ value: Any?) -> [String] {
        switch value {
        case let text as String: [text]
        case let list as [Any]: list.compactMap { $0 as? String }
        default: []
        }
    }

    private static func object(_ part: Substring) -> [String: Any]? {
        let padding = String(repeating: "=", count: (4 - part.utf8.count % 4) % 4)
        let base64 = String(part).replacing("-", with: "+").replacing("_", with: "/") + padding
        guard let data = Data(base64Encoded: base64) else { return nil }
        return try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    }
}

/// The claims are read after the signature holds, and not by the library.
private struct SignedToken: JWTPayload {
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// The algorithms that are taken: never `none`, and no shared secrets.
enum TokenAlgorithm: String, CaseIterable, Sendable {
    case es256 = "ES256"
    case es384 = "ES384"
    case rs256 = "RS256"
    case ps256 = "PS256"
    case eddsa = "EdDSA"
}
