import Foundation
import TestPeers
import Testing

extension ESTFrontTests {
    /// What stands in an issued certificate (RFC 5280), as openssl and pkilint read it.
    struct IssuedCertificateTests {
        @Test(arguments: SimpleEnrollTests.kinds)
        func `an issued certificate holds what the profile says and nothing else (X-01 to X-14)`(
            kind: String
        ) async throws {
            let bench = try await Workbench.enrolled(kind)
            let text = try await bench.sh("openssl x509 -in device.pem -noout -text -nameopt RFC2253")
            #expect(text.contains("Version: 3 (0x2)"))
            #expect(text.contains("Subject: CN=\(bench.id)@demo,serialNumber=\(bench.id),O=Muster Demo\n"))
            #expect(text.contains("Issuer: CN=Muster Dev Issuing CA,O=Muster Development\n"))
            // these extensions, once each, and which are critical.
            let extensions = text.matches(of: #/\n {12}(\S[^\n:]*(?:\n? [^\n:]*)?): ?(critical)?\s*\n/#)
                .map { String($0.1).trimmingBlanks + ($0.2 == nil ? "" : "!") }
            #expect(
                Set(extensions) == [
                    "X509v3 Key Usage!", "X509v3 Extended Key Usage", "X509v3 Authority Key Identifier",
                    "X509v3 Subject Key Identifier", "X509v3 Subject Alternative Name", "Authority Information Access",
                    "X509v3 CRL Distribution Points",
                ]
            )
            #expect(extensions.count == 7)
            #expect(text.contains(#/Key Usage: critical\n\s+Digital Signature\n/#))
            #expect(text.contains(#/Extended Key Usage: \n\s+TLS Web Client Authentication\n/#))
            #expect(text.contains(#/Alternative Name: \n\s+URI:spiffe:\/\/muster\.local\/demo\/\S+\n/#))
            #expect(text.contains("URI:spiffe://muster.local/demo/\(bench.id)\n"))
            #expect(text.contains(#/CA Issuers - URI:http:\/\/localhost:\d+\/ca\/\S+\.cer\n/#))
            #expect(text.contains(#/Full Name:\n\s+URI:http:\/\/localhost:\d+\/crl\/dev\/\d+\.crl\n/#))
            // both algorithms are the issuer's, which is P-256.
            #expect(text.matches(of: #/Signature Algorithm: ecdsa-with-SHA256\n/#).count == 2)
        }

        @Test func `serial numbers are positive, at most 20 octets, long, and never twice (X-02)`() async throws {
            let bench = try await Workbench.enrolled()
            var serials = [try await bench.serial("device")]
            for _ in 0..<3 {
                try await bench.makeRenewal("device", of: "device")
                let answer = try await bench.post("device.b64", to: "simplereenroll", as: "device")
                try await bench.save(answer, as: "device")
                serials.append(try await bench.serial("device"))
            }
            #expect(Set(serials).count == serials.count)
            for serial in serials {
                #expect(!serial.hasPrefix("-"))
                #expect((16...40).contains(serial.count))
                // First bit 0, so that 20 octets hold the whole INTEGER.
                #expect(serial.count < 40 || "01234567".contains(serial.prefix(1)))
            }
        }

        @Test func `times are in order, backdated a little, in whole seconds of UTC, within the issuer's (X-04, X-05)`()
            async throws
        {
            let bench = try await Workbench.enrolled()
            let times = try await bench.sh(
                """
                openssl asn1parse -in device.pem | grep -E 'UTCTIME|GENERALIZEDTIME'
                seconds() { date -d "$(openssl x509 -in "$1" -noout "-$2" | cut -d= -f2)" +%s; }
                echo $(($(date +%s) - $(seconds device.pem startdate)))
                [ "$(seconds device.pem enddate)" -le "$(seconds "$ISSUER" enddate)" ]
                [ "$(seconds device.pem startdate)" -ge "$(seconds "$ISSUER" startdate)" ]
                """
            )
            let lines = times.split(separator: "\n")
            #expect(lines.count == 3)
            #expect(lines.prefix(2).allSatisfy { $0.contains(#/UTCTIME +:\d{12}Z$/#) })
            let age = try #require(lines.last.flatMap { Int($0) })
            #expect((0...3_720).contains(age))
        }

        @Test func `key identifiers: the authority's is the issuer's own, copied (X-06)`() async throws {
            let bench = try await Workbench.enrolled()
            let identifiers = try await bench.sh(
                """
                openssl x509 -in device.pem -noout -ext authorityKeyIdentifier | tail -1 | tr -d ' '
                openssl x509 -in "$ISSUER" -noout -ext subjectKeyIdentifier | tail -1 | tr -d ' '
                """
            ).split(separator: "\n")
            #expect(identifiers.count == 2 && identifiers[0] == identifiers[1])
        }

        @Test func `the certificate that is sent is the one in the record (X-15)`() async throws {
            let bench = try await Workbench.enrolled()
            let sent = try await bench.sh("openssl x509 -in device.pem -outform DER | hex")
            let kept = try await RecordProbe(bench.document).query(
                "select encode(der, 'hex') from certificates where device_id = '\(bench.id)'"
            )
            #expect(kept == sent)
        }

        @Test func `the issuing CA may issue leaves alone, and the root above it is a CA (X-08)`() async throws {
            let bench = try await Workbench()
            let issuer = try await bench.sh("openssl x509 -in \"$ISSUER\" -noout -ext basicConstraints,keyUsage")
            #expect(issuer.contains(#/Basic Constraints: critical\n\s+CA:TRUE, pathlen:0/#))
            #expect(issuer.contains(#/Key Usage: critical\n\s+Certificate Sign, CRL Sign$/#))
            let root = try await bench.sh("openssl x509 -in \"$ROOT\" -noout -ext basicConstraints,keyUsage")
            #expect(root.contains(#/Basic Constraints: critical\n\s+CA:TRUE\n/#))
        }

        /// pkilint's program, if there is one.
        static let pkilint = ProcessInfo.processInfo.environment["MUSTER_PKILINT"]

        @Test(
            .enabled(if: pkilint != nil, "MUSTER_PKILINT names no lint_pkix_cert"),
            arguments: SimpleEnrollTests.kinds
        )
        func `pkilint finds nothing in an issued certificate but our URIs (X-15)`(kind: String) async throws {
            let bench = try await Workbench.enrolled(kind)
            try await lint(bench.path("device.pem"))
        }

        @Test(.enabled(if: pkilint != nil, "MUSTER_PKILINT names no lint_pkix_cert"))
        func `pkilint finds nothing worse than a notice in the CA certificates (X-15)`() async throws {
            let files = try await Workbench().document.files
            try await lint(files.root)
            try await lint(files.issuer)
        }

        /// pkilint takes `spiffe:` and a host without dots for no URIs (RFC 3986 sections 3.1 and 3.2.2 allow both).
        private static var uriFinding: Regex<(Substring, Substring)> {
            #/ *pkix\.invalid_uri_syntax \(ERROR\): Invalid URI syntax: "(\S+)"/#
        }
        private static var ownURIs: Regex<Substring> {
            #/spiffe:\/\/muster\.local\/demo\/[A-Za-z0-9._-]+|http:\/\/localhost:\d+\/(?:ca\/[a-z0-9-]+\.cer|crl\/[a-z0-9-]+\/\d+\.crl|ocsp)/#
        }

        private func lint(_ file: String) async throws {
            let linted = try await Program.run(try #require(Self.pkilint), ["lint", "-s", "WARNING", file])
            let findings = linted.text.split(separator: "\n").filter { $0.contains("(") && !$0.contains(" @ ") }
            let real = findings.filter { finding in
                guard let uri = finding.wholeMatch(of: Self.uriFinding) else { return true }
                return uri.1.wholeMatch(of: Self.ownURIs) == nil
            }
            #expect(real.isEmpty, "\(linted.text)\(linted.errorOutput)")
            // It says by its status whether it found something; a linter that did not run at all finds nothing.
            #expect(linted.succeeded == findings.isEmpty, "\(linted.text)\(linted.errorOutput)")
        }
    }
}
