import Foundation
import JWTKit
import OperatorServer
import Synchronization
import Testing

/// The claims of a token; what is nil is left out.
struct TokenClaims: JWTPayload {
    var iss: String? = "https://id.example"
    var aud: [String]? = ["muster"]
    var sub: String? = "grace"
    var exp: Double? = Date().timeIntervalSince1970 + 300
    var nbf: Double?
    var roles: [String]? = ["viewer"]
    var realm: [String: [String]]?

    func verify(using algorithm: some JWTAlgorithm) async throws {}

    func lasting(_ seconds: Double) -> TokenClaims {
        var claims = self
        claims.exp = Date().timeIntervalSince1970 + seconds
        return claims
    }
}

/// An identity provider: signing keys, and a key set that can change.
final class TokenProvider: Sendable {
    let key = ES256PrivateKey()
    let other = ES256PrivateKey()
    private let set = Mutex(Data())
    private let count = Mutex(0)

    init() throws { try publish(["one": key]) }

    /// What a server is told of it.
    var verification: TokenVerification {
        TokenVerification(issuer: "https://id.example", audience: "muster") { self.read() }
    }

    var readings: Int { count.withLock { $0 } }

    func publish(_ keys: [String: ES256PrivateKey]) throws {
        let members = try keys.map { name, key in
            let parameters = try #require(key.publicKey.parameters)
            return """
                {"kty":"EC","crv":"P-256","kid":"\(name)","use":"sig","x":"\(Self.url(parameters.x))",\
                "y":"\(Self.url(parameters.y))"}
                """
        }
        // Sets hold keys of kinds that nobody here knows, too.
        let text =
            "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"shared\"},\(members.joined(separator: ","))]}"
        set.withLock { $0 = Data(text.utf8) }
    }

    func read() -> Data {
        count.withLock { $0 += 1 }
        return set.withLock { $0 }
    }

    func token(_ claims: TokenClaims, kid: String = "one", key: ES256PrivateKey? = nil) async throws -> String {
        let keys = await JWTKeyCollection().add(ecdsa: key ?? self.key, kid: JWKIdentifier(string: kid))
        return try await keys.sign(claims, kid: JWKIdentifier(string: kid))
    }

    static func url(_ base64: String) -> String {
        base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
