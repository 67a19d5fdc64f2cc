import Foundation
import TestPeers
import Testing

extension SystemTests {
    struct BearerTokenTests {
        @Test func `operators come with a bearer token of the issuer that the configuration names`() async throws {
            let (dev, document) = try await MusterDev.shared.running()
            let folder = try TemporaryDirectory(prefix: "mtoken")
            try await Shell.run(Self.script, folder.path)
            let replica = try await ServeTests.Replica(
                config: dev.state + "/muster.yaml",
                options: [
                    "--set", "operator.jwtIssuer=https://login.example", "--set", "operator.jwtAudience=muster",
                    "--set", "operator.jwksFile=\(folder.path)/jwks.json",
                ]
            )
            let port = try #require(replica.program.log.firstMatch(of: /"operator":"(\d+)"/)?.1)
            func muster(_ token: String, _ arguments: String...) async throws -> Program.Result {
                try await Program.run(
                    MusterDev.executable("muster"),
                    arguments,
                    environment: [
                        "MUSTER_CLIENT_URL": "https://localhost:\(port)", "MUSTER_CLIENT_CA_FILE": document.files.root,
                        "MUSTER_CLIENT_TOKEN_FILE": "\(folder.path)/\(token)",
                    ]
                )
            }
            #expect(try await muster("viewer.jwt", "operator", "self").text == "ann, viewer, by token\n")
            #expect(try await muster("viewer.jwt", "fleet", "list").text.contains("demo"))
            let denied = try await muster("viewer.jwt", "truststore", "publish", "--fleet", "demo")
            #expect(denied.exitStatus == 77)
            #expect(try await muster("other.jwt", "operator", "self").exitStatus == 77, "another issuer's")
            replica.program.signal(SIGTERM)
            #expect(try await replica.program.end(withinSeconds: 60) == 0)
        }

        /// An RSA key, its JSON Web Key Set, and tokens that it signs, by openssl.
        private static let script = #"""
            cd "$1"
            umask 077
            url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
            openssl genrsa -out token.key 2048 2>/dev/null
            hex=$(openssl rsa -in token.key -noout -modulus | cut -d= -f2 | sed 's/../\\x&/g')
            modulus=$(printf '%b' "$hex" | url)
            printf '{"keys":[{"kty":"RSA","kid":"k1","alg":"RS256","use":"sig","n":"%s","e":"AQAB"}]}' "$modulus" > jwks.json
            token() {
                local head body
                head=$(printf '{"alg":"RS256","kid":"k1","typ":"JWT"}' | url)
                body=$(printf '{"iss":"%s","aud":"muster","sub":"ann","roles":["viewer"],"exp":%s}' \
                    "$1" "$(($(date +%s) + 600))" | url)
                printf '%s.%s.%s' "$head" "$body" \
                    "$(printf '%s.%s' "$head" "$body" | openssl dgst -sha256 -sign token.key -binary | url)"
            }
            token https://login.example > viewer.jwt
            token https://elsewhere.example > other.jwt
            """#
    }
}
