import TestPeers
import Testing

extension ESTFrontTests {
    /// How a request may come (RFC 8951 section 3.1) and how not.
    struct RequestBodyTests {
        @Test(
            arguments: [
                "openssl base64 -in device.csr", "openssl base64 -A -in device.csr", "base64 -w 76 device.csr",
                "base64 -w 64 device.csr | sed 's/$/\\r/'", "base64 -w 1 device.csr",
                "printf '\\n \\t\\r\\n'; base64 -w 64 device.csr; printf '\\n\\t \\n'",
                "base64 -w 5 device.csr | tr '\\n' '\\t'",
            ]
        )
        func `blanks may stand anywhere in the base64 (EST-22)`(encoding: String) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh("(" + encoding + ") > body")
            #expect(try await bench.post("body").status == 200)
        }

        @Test(arguments: ["base64", "binary", "8bit", "quoted-printable", "junk/;=", ""])
        func `Content-Transfer-Encoding says nothing, whatever it says (EST-21)`(value: String) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let plain = try await bench.post("device.b64")
            let marked = try await bench.post("device.b64", ["-H", "Content-Transfer-Encoding: \(value)"])
            #expect(marked.status == 200)
            #expect(marked.body == plain.body)
        }

        @Test(
            arguments: [
                ("PEM", "openssl req -inform DER -in device.csr"),
                ("PEM with NEW", "openssl req -inform DER -in device.csr -newhdr"),
                ("DER", "cat device.csr"),
                ("base64url", "printf '+//+'; base64 -w 0 device.csr | tr '+/' '-_'"),
                ("missing padding", "(cat device.csr; printf x) | base64 -w 0 | tr -d '='; printf AA"),
                ("cut off", "base64 -w 0 device.csr | head -c 101"),
                ("empty", "true"),
                ("no DER", "printf 'hello, world' | base64"),
                ("DER with something after it", "(cat device.csr; printf x) | base64"),
                ("a certificate", "openssl x509 -in idevid.pem -outform DER | base64"),
                (
                    "text after the padding",
                    "(cat device.csr; head -c $((3 - $(stat -c %s device.csr) % 3 + 1)) /dev/zero) | base64 -w 0; printf '=AAA'"
                ),
            ]
        )
        func `a body that is not the base64 of a request is refused (EST-23, EST-26, C-01)`(
            fault: String,
            encoding: String
        ) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh("(" + encoding + ") > body")
            let answer = try await bench.post("body")
            #expect(answer.status == 400)
            #expect(answer.reason == "request-unreadable")
            #expect(try await bench.attempt(answer).hasPrefix("simpleenroll|refused|request|request-unreadable|"))
            // The answer does not repeat what was sent (EST-25).
            #expect(answer.body.count < 400)
            #expect(!answer.text.contains("MII"))
        }

        @Test(
            arguments: [
                "application/pkcs10", "APPLICATION/PKCS10", "application/pkcs10; charset=utf-8",
                "application/pkcs10;smime-type=x", "Application/Pkcs10 ; a=b",
            ]
        )
        func `the media type is compared without case and parameters (EST-20)`(type: String) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            #expect(try await bench.post("device.b64", type: type).status == 200)
        }

        @Test(
            arguments: [
                "application/x-www-form-urlencoded", "application/pkcs7-mime", "application/pkcs10x",
                "application/pkcs-10", "text/plain", "application/octet-stream", "pkcs10",
            ]
        )
        func `another media type is refused (EST-20)`(type: String) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let answer = try await bench.post("device.b64", type: type)
            #expect(answer.status == 415)
            #expect(answer.reason == "media-type-not-accepted")
            #expect(try await bench.attempt(answer).hasPrefix("simpleenroll|refused|request|media-type-not-accepted|"))
        }

        @Test func `a body without media type, or compressed, is refused (EST-20, EST-70)`() async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            // curl leaves a header out that is named without value.
            let bare = try await bench.curl(
                bench.operation("simpleenroll"),
                as: "idevid",
                ["-H", "Content-Type:", "--data-binary", "@device.b64"]
            )
            #expect(bare.status == 415)
            try await bench.sh("gzip -c device.b64 > device.gz")
            let zipped = try await bench.post("device.gz", ["-H", "Content-Encoding: gzip"])
            #expect(zipped.status == 415)
        }

        @Test(arguments: [
            [], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect:"], ["-H", "Expect: 100-continue"],
        ])
        func `a body over 64 KiB is refused, whether its length is said or not (EST-70)`(options: [String]) async throws
        {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh("(cat device.b64; head -c 70000 /dev/zero | tr '\\0' '\\n') > body")
            let answer = try await bench.post("body", options)
            #expect(answer.status == 413)
            #expect(answer.reason == "request-too-large")
        }

        @Test func `a request over 16 KiB is refused before it is parsed (C-01, EST-70)`() async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh("head -c 16385 /dev/zero | base64 > body")
            let answer = try await bench.post("body")
            #expect(answer.status == 413)
            #expect(answer.reason == "request-too-large")
        }

        @Test(arguments: [["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"]])
        func `a body in chunks, or after 100-continue, is accepted (EST-70)`(options: [String]) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            #expect(try await bench.post("device.b64", options).status == 200)
        }

        @Test func `a body shorter than its length does not hold the connection forever (EST-70)`() async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            // A pipe that stays open: the client says no more, and does not go away either.
            let text = try await bench.sh(
                """
                mkfifo held
                exec 9<>held
                printf 'POST /.well-known/est/demo/simpleenroll HTTP/1.1\\r\\nHost: localhost\\r\\n' >&9
                printf 'Content-Type: application/pkcs10\\r\\nContent-Length: 60000\\r\\n\\r\\nTUlJ' >&9
                timeout 60 openssl s_client -quiet -connect "$AUTHORITY" -CAfile "$ROOT" -cert idevid.pem -key idevid.key \\
                    -nocommands <&9 2>/dev/null || true
                """
            )
            #expect(text.hasPrefix("HTTP/1.1 408 "), "\(text)")
        }
    }
}
