import Foundation
import TestPeers
import Testing

extension OperatorTests {
    /// What an operator revokes is in the CRLs that certificates name, as openssl and curl fetch them.
    struct CRLTests {
        /// A fleet with one device, whose certificate is in unit-op.pem, and the URL of its CRL.
        private static func enrolled() async throws -> (OperatedFleet, crl: String) {
            let fleet = try await OperatedFleet(policy: "open")
            try await fleet.makeDevice("unit")
            try await fleet.bench.save(try await fleet.enroll("unit"), as: "unit-op")
            let url = try await fleet.bench.sh(
                "openssl x509 -in unit-op.pem -noout -ext crlDistributionPoints | sed -n 's/^ *URI://p'"
            )
            return (fleet, url)
        }

        /// What openssl says of the device's certificate, with the CRL that it names and fetches by itself.
        private static func verdict(_ fleet: OperatedFleet) async throws -> String {
            try await fleet.bench.sh(
                """
                cat "$1" "$ROOT" > cas.pem
                openssl verify -crl_check -crl_download -CAfile cas.pem unit-op.pem 2>&1 | sed -n '$!d;p' || true
                openssl verify -crl_check -crl_download -CAfile cas.pem unit-op.pem 2>&1 | grep -o 'certificate revoked' || true
                """,
                fleet.bench.document.files.issuer
            )
        }

        private static func becomes(_ verdict: String, _ fleet: OperatedFleet) async throws {
            try await Eventually.holds("openssl's verdict \(verdict)") {
                try await Self.verdict(fleet).contains(verdict)
            }
        }

        @Test
        func `openssl refuses a revoked device by the CRL that its certificate names, and takes it when its hold ends`()
            async throws
        {
            let (fleet, crl) = try await Self.enrolled()
            #expect(crl.hasPrefix(fleet.bench.document.urls.public + "/crl/dev/") && crl.hasSuffix(".crl"))
            try await Self.becomes("unit-op.pem: OK", fleet)
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name, "--hold")
            try await Self.becomes("certificate revoked", fleet)
            try await fleet.muster("device", "release", "unit", "--fleet", fleet.name)
            try await Self.becomes("unit-op.pem: OK", fleet)
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name, "--reason", "keyCompromise")
            try await Self.becomes("certificate revoked", fleet)
            let shown = try await fleet.bench.sh(
                """
                serial=$(openssl x509 -in unit-op.pem -noout -serial | cut -d= -f2)
                curl -sSf "$1" | openssl crl -inform DER -noout -text | grep -A4 "Serial Number: $serial" | grep -o 'Key Compromise'
                curl -sSf "${1%.crl}.delta.crl" | openssl crl -inform DER -noout -text | grep -c "Delta CRL Indicator: critical"
                curl -sSf "${1%/*}.pem" | openssl crl -noout -text | grep -c "Serial Number: $serial"
                curl -sSf "${1%/*}.pem" | openssl crl -noout -text | grep -c "Distribution Point" || true
                """,
                crl
            )
            #expect(shown == "Key Compromise\n1\n1\n0")
        }

        // R-01
        @Test func `a CRL is served as HTTP wants it, and costs little to ask for again`() async throws {
            let (_, crl) = try await Self.enrolled()
            let answer = try await Shell.run(
                """
                cd "$(mktemp -d)"
                curl -sSf -D head -o list "$1"
                tag=$(sed -n 's/\\r//; s/^[Ee][Tt]ag: //p' head); date=$(sed -n 's/\\r//; s/^Last-Modified: //p' head)
                grep -iE '^(content-type|cache-control):' head | tr -d '\\r' | sort
                code() { curl -sS -o body -w '%{http_code} %{size_download}\\n' "$@"; }
                code "$1" -H "If-None-Match: $tag"
                code "$1" -H "If-None-Match: \\"other\\", W/$tag"
                code "$1" -H "If-None-Match: \\"other\\"" -H "If-Modified-Since: $date" | cut -d' ' -f1
                code "$1" -H "If-Modified-Since: $date"
                code "$1" -H "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT" | cut -d' ' -f1
                curl -sSI "$1" | tr -d '\\r' | grep -iE '^(HTTP|content-length)' | cut -d' ' -f2 | sed "s/^$(stat -c %s list)\\$/whole/"
                curl -sSf -o list.pem -w '%{content_type}\\n' "${1%.crl}.pem"
                openssl crl -in list.pem -outform DER | cmp - list && echo same
                """,
                crl
            )
            #expect(
                answer == """
                    Cache-Control: public, max-age=1, must-revalidate, no-transform
                    Content-Type: application/pkix-crl
                    304 0
                    304 0
                    200
                    304 0
                    200
                    200
                    whole
                    application/x-pem-file
                    same
                    """
            )
        }

        @Test(
            .enabled(if: ESTFrontTests.IssuedCertificateTests.pkilint != nil, "MUSTER_PKILINT names no lint_pkix_cert")
        )
        func `pkilint finds nothing in lists and deltas but our URIs`() async throws {
            let (fleet, crl) = try await Self.enrolled()
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name, "--reason", "superseded")
            try await Self.becomes("certificate revoked", fleet)
            let linted = try await fleet.bench.sh(
                """
                linter=$(dirname "$2")/lint_crl
                for url in "$1" "${1%.crl}.delta.crl" "${1%/*}.crl"; do
                    curl -sSf "$url" | openssl crl -inform DER -out linted.pem
                    # It says by its status how much it found; one that did not run at all says nothing.
                    "$linter" lint -t CRL -p PKIX -s WARNING -f CSV linted.pem || true
                done
                """,
                crl,
                try #require(ESTFrontTests.IssuedCertificateTests.pkilint)
            )
            let lines = linted.split(separator: "\n")
            #expect(lines.count(where: { $0.hasPrefix("node_path,") }) == 3, "\(linted)")
            // It takes a host without dots for none (RFC 3986 section 3.2.2 allows it).
            let real = lines.filter { !$0.hasPrefix("node_path,") && !$0.contains("pkix.invalid_uri_syntax") }
            #expect(real.isEmpty, "\(linted)")
        }

        @Test(arguments: [
            "/crl/nobody.crl", "/crl/dev", "/crl/dev/0.crl", "/crl/dev/01.crl", "/crl/dev/-1.crl", "/crl/dev/9999.crl",
            "/crl/dev/1.txt", "/crl/dev/1.crl/x", "/crl/..%2fdev.crl", "/crl/dev/99999999999999999999.crl",
        ])
        func `a CRL that is not there is not found`(path: String) async throws {
            let (_, document) = try await MusterDev.shared.running()
            let status = try await Shell.run(
                "curl -sS --path-as-is -o /dev/null -w '%{http_code}' \"$1\"",
                document.urls.public + path
            )
            #expect(status == "404")
        }

        @Test func `muster crl check finds the published CRLs as the record has them`() async throws {
            let (fleet, _) = try await Self.enrolled()
            try await fleet.muster("revoke", "unit", "--fleet", fleet.name)
            let configuration = URL(fileURLWithPath: fleet.devFile).deletingLastPathComponent().path + "/muster.yaml"
            let checked = try await fleet.muster("crl", "check", "--config", configuration)
            #expect(checked.hasPrefix("129 CRLs, ") && checked.contains("as the record has them"))
            let away = try await fleet.command([
                "crl", "check", "--config", configuration, "--url", "http://127.0.0.1:9",
            ])
            #expect(!away.succeeded && away.errorOutput.contains("http://127.0.0.1:9 is not reached"))
        }
    }
}
