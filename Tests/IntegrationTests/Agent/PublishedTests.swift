import TestPeers
import Testing

extension SystemTests {
    /// What the public front has for who follows a fleet without a broker.
    @Suite struct PublishedTests {
        @Test func `the trust store is served as it is signed, and costs little to ask for again`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let answer = try await Shell.run(
                """
                cd "$(mktemp -d)"
                url="$1/truststore/$2.cms"
                curl -sSf -D head -o store "$url"
                openssl cms -verify -inform DER -in store -purpose any -CAfile "$3" 2>/dev/null | grep -o '"fleet":"[^"]*"'
                tag=$(sed -n 's/\\r//; s/^[Ee][Tt]ag: //p' head)
                grep -iE '^content-type:' head | tr -d '\\r'
                curl -sS -o body -w '%{http_code} %{size_download}\\n' "$url" -H "If-None-Match: $tag"
                curl -sS -o body -w '%{http_code}\\n' "$url" -H 'If-None-Match: "other"'
                for name in nobody.cms "$2" "$2.pem" A.cms; do
                    curl -sS -o body -w '%{http_code}\\n' "$1/truststore/$name"
                done
                """,
                document.urls.public,
                document.fleet,
                document.files.root
            )
            #expect(
                answer == """
                    "fleet":"\(document.fleet)"
                    Content-Type: application/cms
                    304 0
                    200
                    404
                    404
                    404
                    404
                    """
            )
        }

        @Test func `a CRL is found by its issuer's certificate as by its issuer's name`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let answer = try await Shell.run(
                """
                cd "$(mktemp -d)"
                digest() { openssl x509 -in "$1" -outform DER | sha256sum | cut -d' ' -f1; }
                curl -sSf -o named "$1/crl/dev.crl"; curl -sSf -o digested "$1/crl/$(digest "$2").crl"
                openssl crl -inform DER -in named -noout -issuer > a; openssl crl -inform DER -in digested -noout -issuer > b
                cmp a b && echo same
                curl -sS -o body -w '%{http_code}\\n' "$1/crl/$(digest "$3").crl"
                """,
                document.urls.public,
                document.files.issuer,
                document.files.root
            )
            #expect(answer == "same\n404")
        }
    }
}
