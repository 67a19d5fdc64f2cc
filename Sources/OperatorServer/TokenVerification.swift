package import Foundation

/// Which bearer tokens (RFC 7519) are taken, and what they say.
package struct TokenVerification: Sendable {
    /// What `iss` must be (RFC 7519 section 4.1.1).
    package var issuer: String
    /// What `aud` must be or hold (RFC 7519 section 4.1.3).
    package var audience: String
    /// The claim that holds the role, or several of which the highest counts: text, or a list of texts. A dotted name
    /// that is no claim itself leads into objects, such as `realm_access.roles`.
    package var rolesClaim = "roles"
    /// What stands before `gateway`, `viewer`, `operator` and `admin` in the claim.
    package var rolePrefix = ""
    /// How far the issuer's clock may be off.
    package var leeway: Duration = .seconds(30)
    /// Reads the JSON Web Key Set (RFC 7517) as it is now.
    package var keySet: @Sendable () async throws -> Data

    package init(issuer: String, audience: String, keySet: @escaping @Sendable () async throws -> Data) {
        self.issuer = issuer
        self.audience = audience
        self.keySet = keySet
    }
}
