import Foundation
import TestPeers
import Testing

extension OperatorTests {
    /// What an operator revokes is in the next OCSP answer, as openssl, GnuTLS and curl ask for it.
    struct OCSPTests {
        /// A fleet with one device, whose certificate is in unit-op.pem, its issuer in issuer.pem and all CAs in cas.pem,
        /// and the URL of its responder.
        private static func enrolled() async throws -> (OperatedFleet, url: String) {
            let fleet = try await OperatedFleet(policy: "open")
            try await fleet.makeDevice("unit")
            try await fleet.bench.save(try await fleet.enroll("unit"), as: "unit-op")
            let url = try await fleet.bench.sh(
                """
                openssl x509 -in "$1" -out issuer.pem
                cat "$1" "$ROOT" > cas.pem
                openssl x509 -in unit-op.pem -noout -ocsp_uri
                """,
                fleet.bench.document.files.issuer
            )
            return (fleet, url)
        }

        /// What openssl says of the device's certificate, and of the answer's signature.
        private static func ask(_ fleet: OperatedFleet, _ url: String, _ options: String = "") async throws -> String {
            try await fleet.bench.sh(
                """
                openssl ocsp \(options) -issuer issuer.pem -cert unit-op.pem -url "$1" -CAfile cas.pem 2>&1 \
                    | grep -E '^Response|: |Reason' | grep -v Update || true
                """,
                url
            )
        }

        // O-01, O-03, O-06, O-08
        @Test(arguments: ["", "-no_nonce", "-sha256 -no_nonce", "-sha256"])
        func `openssl sees a device good, held, good again, and revoked`(
            options: String
        ) async throws {
            let (fleet, url) = try await Self.enrolled()
            #expect(url == fleet.bench.document.urls.public + "/ocsp")
            #expect(try await Self.ask(fleet, url, options) == "Response verify OK\nunit-op.pem: good")
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name, "--hold")
            try await Self.becomes("unit-op.pem: revoked\n\tReason: certificateHold", fleet, url, options)
            try await fleet.muster("device", "release", "unit", "--fleet", fleet.name)
            try await Self.becomes("unit-op.pem: good", fleet, url, options)
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name, "--reason", "keyCompromise")
            try await Self.becomes("unit-op.pem: revoked\n\tReason: keyCompromise", fleet, url, options)
        }

        private static func becomes(
            _ verdict: String,
            _ fleet: OperatedFleet,
            _ url: String,
            _ options: String
        ) async throws {
            try await Eventually.holds("openssl's verdict \(verdict)") {
                try await Self.ask(fleet, url, options).hasPrefix("Response verify OK\n" + verdict)
            }
        }

        @Test func `GnuTLS verifies answers for a good and a revoked device`() async throws {
            let (fleet, url) = try await Self.enrolled()
            func ask() async throws -> String {
                try await fleet.bench.sh(
                    """
                    ocsptool --ask="$1" --load-cert unit-op.pem --load-issuer issuer.pem --load-trust cas.pem 2>&1 \
                        | grep -oE 'Certificate Status: [a-z]+|Verifying OCSP Response: .*' || true
                    """,
                    url
                )
            }
            #expect(try await ask() == "Certificate Status: good\nVerifying OCSP Response: Success.")
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name)
            try await Eventually.holds("GnuTLS sees the revocation") {
                try await ask() == "Certificate Status: revoked\nVerifying OCSP Response: Success."
            }
        }

        // O-01, O-09
        @Test func `a GET is answered as HTTP caches want it, however its base64 was written`() async throws {
            let (_, url) = try await Self.enrolledRequest()
            let answer = try await Shell.run(
                """
                cd "$(mktemp -d)"
                base=${1% *}; der=${1#* }
                printf '%s' "$der" | base64 -d > request
                escaped=$(printf '%s' "$der" | sed 's/+/%2B/g; s/=/%3D/g; s,/,%2F,g')
                lower=$(printf '%s' "$der" | sed 's/+/%2b/g; s/=/%3d/g; s,/,%2f,g')
                curl -sSf -D head -o answer "$base/$escaped"
                for written in "$lower" "$der" "/$der" "${der%%=*}"; do
                    curl -sSf --path-as-is -o again "$base/$written"; cmp answer again && echo same
                done
                curl -sSf -o posted --data-binary @request -H 'content-type: application/ocsp-request' "$base"
                cmp answer posted && echo same
                value() { sed -n "s/\\r//; s/^$1: //Ip" head; }
                value content-type; value cache-control
                test "$(value etag)" = "\\"$(sha256sum answer | cut -d' ' -f1)\\"" && echo tag
                times=$(openssl ocsp -respin answer -noverify -resp_text)
                same() { test "$(date -u -d "$(printf '%s' "$times" | sed -n "s/^ *$1: //p")" +%s)" = "$(date -u -d "$2" +%s)"; }
                same 'This Update' "$(value last-modified)" && same 'Next Update' "$(value expires)" && echo times
                test "$(value content-length)" = "$(stat -c %s answer)" && echo length
                curl -sS -o none -w '%{http_code} %{size_download}\\n' -H "If-None-Match: $(value etag)" "$base/$escaped"
                for method in HEAD PUT DELETE PATCH; do
                    curl -sS -o none -w '%{http_code}\\n' -X $method -I "$base/$escaped"
                done | sort -u
                """,
                url
            )
            #expect(
                answer == """
                    same
                    same
                    same
                    same
                    same
                    application/ocsp-response
                    max-age=1, public, no-transform, must-revalidate
                    tag
                    times
                    length
                    304 0
                    405
                    """
            )
        }

        /// The responder's URL and the device's request in base64, a space between them.
        private static func enrolledRequest() async throws -> (OperatedFleet, String) {
            let (fleet, url) = try await enrolled()
            let request = try await fleet.bench.sh(
                """
                openssl ocsp -no_nonce -issuer issuer.pem -cert unit-op.pem -reqout request.der
                base64 -w0 request.der
                """
            )
            return (fleet, "\(url) \(request)")
        }

        // O-02, O-04, O-08, O-11
        @Test func `what is no request, and who is not known, is answered as the RFC says`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let answers = try await Shell.run(
                """
                cd "$(mktemp -d)"
                post() { curl -sS -o answer -w '%{http_code} ' -H 'content-type: application/ocsp-request' --data-binary @- "$url"; }
                said() { openssl ocsp -respin answer -noverify 2>&1 | grep -oE '\\([0-9]\\)' || true; }
                url=$1/ocsp
                printf 'nothing' | post; said
                printf '' | post; said
                head -c 1000000 /dev/zero | post; echo
                curl -sS -o answer -w '%{http_code} ' "$url/%%%"; said
                curl -sS -o answer -w '%{http_code} ' "$url/AAAA"; said
                curl -sS -o answer -w '%{http_code} ' "$url"; said
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=other -out other.pem 2> /dev/null
                openssl ocsp -issuer other.pem -serial 0x4D0102030405060708 -reqout request
                post < request; said
                openssl ocsp -issuer "$2" -serial 0x4D0102030405060708 -reqout request -no_nonce
                post < request; openssl ocsp -respin answer -noverify -resp_text | grep -oE 'Cert Status: .*'
                curl -sS -D - -o answer "$url/$(base64 -w0 request | sed 's/+/%2B/g; s,/,%2F,g')" | grep -ioE 'cache-control: .*' | tr -d '\\r'
                curl -sS -o answer -w '%{http_code}\\n' --data-binary @request "$url"
                """,
                document.urls.public,
                document.files.issuer
            )
            #expect(
                answers == """
                    200 (1)
                    200 (1)
                    413 
                    200 (1)
                    200 (1)
                    200 (1)
                    200 (6)
                    200 Cert Status: unknown
                    Cache-Control: no-store
                    415
                    """,
                "\(answers)"
            )
        }

        @Test(
            .enabled(if: ESTFrontTests.IssuedCertificateTests.pkilint != nil, "MUSTER_PKILINT names no lint_pkix_cert")
        )
        func `pkilint finds nothing in answers and in the responder's certificate`() async throws {
            let (fleet, url) = try await Self.enrolled()
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name, "--reason", "superseded")
            try await Self.becomes("unit-op.pem: revoked", fleet, url, "-no_nonce")
            let linted = try await fleet.bench.sh(
                """
                linters=$(dirname "$2")
                openssl ocsp -no_nonce -issuer issuer.pem -cert unit-op.pem -url "$1" -CAfile cas.pem -respout revoked.der > out 2>&1
                openssl ocsp -issuer issuer.pem -serial 0x4D0102030405060708 -url "$1" -CAfile cas.pem -respout unknown.der > out 2>&1
                for answer in revoked unknown; do
                    "$linters/lint_ocsp_response" lint -s WARNING -f CSV $answer.der || true
                done
                openssl ocsp -respin revoked.der -noverify -resp_text | sed -n '/BEGIN/,/END/p' > responder.pem
                "$linters/lint_pkix_cert" lint -s WARNING -f CSV responder.pem || true
                """,
                url,
                try #require(ESTFrontTests.IssuedCertificateTests.pkilint)
            )
            let lines = linted.split(separator: "\n")
            #expect(lines.count(where: { $0.hasPrefix("node_path,") }) == 3, "\(linted)")
            #expect(lines.allSatisfy { $0.hasPrefix("node_path,") }, "\(linted)")
        }
    }
}
