import TestPeers
import Testing

extension ESTFrontTests {
    /// GET /cacerts and what is around it (RFC 7030 section 4.1).
    struct CACertificatesTests {
        @Test(arguments: [nil, "idevid"] as [String?], ["/.well-known/est/cacerts", "/.well-known/est/demo/cacerts"])
        func `cacerts answer with and without client certificate, with and without label (EST-01, EST-10, EST-11)`(
            credential: String?,
            path: String
        ) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let answer = try await bench.curl(path, as: credential)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/pkcs7-mime; smime-type=certs-only")
            #expect(answer.headers["content-length"] == "\(answer.body.count)")
            #expect(answer.headers["transfer-encoding"] == nil)
            // One line and its LF, which strongSwan and libest both read.
            #expect(answer.body.last == 0x0A)
            #expect(answer.body.dropLast().allSatisfy { $0 != 0x0A && $0 != 0x0D })
        }

        @Test func `cacerts is a degenerate SignedData of exactly the issuing CA and its root (EST-11, EST-12)`()
            async throws
        {
            let bench = try await Workbench()
            try bench.write("bag.p7", try await bench.curl(bench.operation("cacerts")).body)
            let text = try await bench.sh(
                """
                base64 -d bag.p7 > bag.der
                openssl pkcs7 -inform DER -in bag.der -print_certs -out bag.pem
                fingerprints() { while openssl x509 -noout -fingerprint -sha256 2>/dev/null; do :; done | sort; }
                [ "$(fingerprints < bag.pem)" = "$(cat "$ISSUER" "$ROOT" | fingerprints)" ]
                [ "$(grep -c 'BEGIN CERTIFICATE' bag.pem)" = 2 ]
                openssl cms -cmsout -print -noout -inform DER -in bag.der
                """
            )
            #expect(text.contains("contentType: pkcs7-signedData"))
            #expect(text.contains(#/d.signedData:\s+version: 1\s+digestAlgorithms:/#))
            #expect(text.contains("eContent: <ABSENT>"))
            #expect(text.contains(#/signerInfos:\s+<EMPTY>/#))
        }

        @Test func `an issued certificate verifies strictly with nothing but cacerts (EST-12)`() async throws {
            let bench = try await Workbench.enrolled()
            try bench.write("bag.p7", try await bench.curl(bench.operation("cacerts")).body)
            let verdict = try await bench.sh(
                """
                base64 -d bag.p7 | openssl pkcs7 -inform DER -print_certs -out bag.pem
                openssl verify -x509_strict -purpose sslclient -CAfile bag.pem device.pem
                """
            )
            #expect(verdict == "device.pem: OK")
        }

        @Test func `cacerts is the same at each call, with its ETag, and small enough for libest (EST-14)`()
            async throws
        {
            let bench = try await Workbench()
            let first = try await bench.curl(bench.operation("cacerts"))
            let second = try await bench.curl(bench.operation("cacerts"))
            #expect(first.body == second.body)
            let tag = try #require(first.headers["etag"])
            #expect(tag.wholeMatch(of: #/"[0-9a-f]{32}"/#) != nil)
            #expect(second.headers["etag"] == tag)
            #expect(first.body.count < 16_384)
        }

        @Test func `libest gets lines of 64 columns at cacerts, and the same certificates`() async throws {
            let bench = try await Workbench()
            let usual = try await bench.curl(bench.operation("cacerts"))
            let libest = try await bench.curl(bench.operation("cacerts"), ["-A", "libest 3.2.0p"])
            let lines = libest.text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.last == "")
            #expect(lines.dropLast().dropLast().allSatisfy { $0.utf8.count == 64 })
            #expect(lines.dropLast().count > 1)
            #expect(libest.text.filter { $0 != "\n" } == usual.text.filter { $0 != "\n" })
            #expect(libest.headers["etag"] == usual.headers["etag"])
            // Its decoder is OpenSSL's, which wants lines.
            try bench.write("libest.p7", libest.body)
            try await bench.sh(
                "openssl base64 -d -in libest.p7 | openssl pkcs7 -inform DER -print_certs | grep -q BEGIN"
            )
        }

        @Test(
            arguments: [
                "/.well-known/est/nosuchfleet/cacerts", "/.well-known/est/Demo/cacerts",
                "/.well-known/est/demo/CACerts",
                "/.well-known/est/cacerts/", "/.well-known/est/demo/cacerts/", "/.well-known/est//cacerts",
                "/.well-known/est//demo/cacerts", "/.well-known//est/demo/cacerts", "//.well-known/est/demo/cacerts",
                "/.well-known/est/%64emo/cacerts", "/.well-known/est/demo/%63acerts", "/.well-known/est/demo%2fcacerts",
                "/.well-known/est/%2e/cacerts", "/.well-known/est/demo/../demo/cacerts", "/.well-known/est/./cacerts",
                "/.well-known/est/demo/nosuchoperation", "/.well-known/est/demo", "/.well-known/est/", "/", "/cacerts",
                "/.well-known/est/cacerts/cacerts", "/.well-known/est/demo/cacerts?fleet=other",
            ]
        )
        func `a path that is not an operation's to the letter is not found (EST-02)`(path: String) async throws {
            let bench = try await Workbench()
            let answer = try await bench.curl(path)
            #expect(answer.status == 404)
            #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(answer.body.last == 0x0A)
        }

        @Test(
            arguments: [
                ("POST", "cacerts", "GET"), ("PUT", "cacerts", "GET"), ("DELETE", "csrattrs", "GET"),
                ("GET", "simpleenroll", "POST"), ("PUT", "simpleenroll", "POST"), ("GET", "simplereenroll", "POST"),
                ("PATCH", "simplereenroll", "POST"),
            ]
        )
        func `a method that an operation does not take is refused with the one it takes (EST-02)`(
            method: String,
            operation: String,
            allowed: String
        ) async throws {
            let bench = try await Workbench()
            let answer = try await bench.curl(bench.operation(operation), ["-X", method, "-d", ""])
            #expect(answer.status == 405)
            #expect(answer.headers["allow"] == allowed)
        }

        @Test(arguments: ["serverkeygen", "fullcmc"])
        func `an operation that is not offered is not implemented (EST-03)`(operation: String) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let answer = try await bench.post("device.b64", to: operation)
            #expect(answer.status == 501)
        }

        @Test func `the port speaks no plain HTTP (EST-04)`() async throws {
            let bench = try await Workbench()
            let plain = try await bench.program("curl -sS --max-time 20 \"http://$AUTHORITY/.well-known/est/cacerts\"")
            #expect(!plain.succeeded)
            #expect(plain.output.isEmpty)
        }
    }
}
