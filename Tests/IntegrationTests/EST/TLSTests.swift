import TestPeers
import Testing

extension ESTFrontTests {
    /// The TLS of the device front (RFC 9325).
    struct TLSTests {
        /// A GET of cacerts over openssl s_client with options; its output holds the answer and what s_client says.
        private static let ask = """
            ask() {
                printf 'GET /.well-known/est/cacerts HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' |
                    timeout 60 openssl s_client -connect "$AUTHORITY" -CAfile "$ROOT" -ign_eof -nocommands "$@" 2>&1
            }

            """

        @Test(arguments: ["-tls1", "-tls1_1"])
        func `TLS 1.0 and 1.1 are refused (TLS-01, EST-04)`(version: String) async throws {
            let bench = try await Workbench()
            let result = try await bench.program(Self.ask + "ask \(version) -cipher ALL:@SECLEVEL=0")
            #expect(!result.succeeded)
            #expect(result.text.contains("alert protocol version"))
            #expect(!result.text.contains("HTTP/1.1"))
        }

        @Test(
            arguments: [
                "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384",
                "ECDHE-RSA-AES128-SHA",
                "AES128-SHA", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "DHE-RSA-AES128-GCM-SHA256",
                "PSK-AES128-GCM-SHA256",
                "ECDHE-ECDSA-AES128-CCM", "ADH-AES128-GCM-SHA256", "AECDH-AES128-SHA", "ECDHE-ECDSA-NULL-SHA",
                "NULL-SHA256",
                "ECDHE-ECDSA-CAMELLIA128-SHA256",
            ]
        )
        func `suites without forward secrecy or authenticated encryption are refused (TLS-02)`(
            suite: String
        ) async throws {
            let bench = try await Workbench()
            let result = try await bench.program(Self.ask + "ask -tls1_2 -psk 00 -cipher \(suite):@SECLEVEL=0")
            #expect(!result.succeeded)
            #expect(result.text.contains("alert handshake failure"), "\(result.text)")
        }

        @Test(
            arguments: [
                "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
            ]
        )
        func `the suites of RFC 9325 are accepted under TLS 1.2, with extended master secret (TLS-02, TLS-03)`(
            suite: String
        ) async throws {
            let bench = try await Workbench()
            let text = try await bench.sh(Self.ask + "ask -tls1_2 -cipher \(suite)")
            #expect(text.contains("Cipher is \(suite)"))
            #expect(text.contains("HTTP/1.1 200 OK"))
            #expect(text.contains("Extended master secret: yes"))
            #expect(text.contains("Secure Renegotiation IS supported"))
            #expect(text.contains("Compression: NONE"))
        }

        @Test(arguments: ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
        func `the suites of TLS 1.3 are accepted, and no early data (TLS-01, TLS-05)`(suite: String) async throws {
            let bench = try await Workbench()
            let text = try await bench.sh(Self.ask + "ask -tls1_3 -ciphersuites \(suite)")
            #expect(text.contains("Cipher is \(suite)"))
            #expect(text.contains("HTTP/1.1 200 OK"))
            #expect(text.contains("Max Early Data: 0"))
            #expect(!text.contains(#/Max Early Data: [1-9]/#))
        }

        @Test(arguments: [("X25519", "X25519"), ("P-256", "prime256v1"), ("P-384", "secp384r1")])
        func `the groups X25519, P-256 and P-384 are accepted (TLS-04)`(group: String, shown: String) async throws {
            let bench = try await Workbench()
            let text = try await bench.sh(Self.ask + "ask -tls1_3 -groups \(group)")
            #expect(text.contains(#/Server Temp Key: .*/#) && text.contains(shown))
            #expect(text.contains("HTTP/1.1 200 OK"))
        }

        @Test(arguments: ["P-521", "X448", "ffdhe2048"])
        func `other groups are refused (TLS-04)`(group: String) async throws {
            let bench = try await Workbench()
            let result = try await bench.program(Self.ask + "ask -tls1_3 -groups \(group)")
            #expect(!result.succeeded && result.text.contains("alert handshake failure"))
        }

        @Test func `a client that renegotiates is cut off (TLS-03)`() async throws {
            let bench = try await Workbench()
            // s_client reads R as its command to renegotiate, and ends when the server closes.
            let result = try await bench.program(
                """
                mkfifo held
                exec 9<>held
                printf 'R\\n' >&9
                timeout 60 openssl s_client -connect "$AUTHORITY" -CAfile "$ROOT" -tls1_2 <&9 2>&1 || echo "ended with $?"
                """
            )
            #expect(result.text.contains("RENEGOTIATING"), "\(result.text)")
            #expect(result.text.contains("ended with 1\n"), "\(result.text)")
            #expect(!result.text.contains("HTTP/1.1 200"))
        }

        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func `the server asks for a certificate, names its CAs, and takes no SHA-1 (TLS-06, TLS-07)`(
            version: String
        ) async throws {
            let bench = try await Workbench()
            let text = try await bench.sh(Self.ask + "ask \(version)")
            let names = text.split(separator: "\n").drop { !$0.hasPrefix("Acceptable client certificate CA names") }
                .dropFirst().prefix { $0.hasPrefix("O = ") }
            #expect(
                Set(names) == [
                    "O = Muster Development, CN = Muster Dev Manufacturer",
                    "O = Muster Development, CN = Muster Dev Claim CA",
                    "O = Muster Development, CN = Muster Dev Issuing CA",
                ]
            )
            let algorithms = try #require(text.firstMatch(of: #/\nRequested Signature Algorithms: (\S+)\n/#)).1
            #expect(algorithms.contains("ECDSA+SHA256") && algorithms.contains("ed25519"))
            #expect(!algorithms.contains("SHA1") && !algorithms.contains("SHA224") && !algorithms.contains("MD5"))
        }

        @Test func `the server's certificate is for localhost and its addresses, and ALPN is http/1.1 (TLS-11)`()
            async throws
        {
            let bench = try await Workbench()
            for name in ["localhost", "127.0.0.1", "::1"] {
                let kind = name == "localhost" ? "-verify_hostname" : "-verify_ip"
                let text = try await bench.sh(Self.ask + "ask -alpn h2,http/1.1 \(kind) \(name) -verify_return_error")
                #expect(text.contains("ALPN protocol: http/1.1"))
                #expect(text.contains("Verify return code: 0 (ok)"))
            }
        }

        @Test func `a name that the server does not have gets its certificate all the same (TLS-11)`() async throws {
            let bench = try await Workbench()
            let text = try await bench.sh(Self.ask + "ask -servername unknown.example")
            #expect(text.contains("HTTP/1.1 200 OK"))
        }

        @Test(arguments: ["1.2", "1.3"])
        func `a certificate whose key the client does not hold ends the handshake (TLS-08)`(
            version: String
        ) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            // An EC key file says its public half by itself, and openssl takes its word: the private half here is another
            // key's, so that the CertificateVerify is signed by the wrong key.
            try await bench.sh(
                """
                key other P-256
                private=$(openssl ec -in other.key -outform DER 2>/dev/null | tail -c +8 | head -c 32 | hex)
                public=$(openssl pkey -in idevid.key -pubout -outform DER | tail -c 65 | hex)
                printf '%s\\n' asn1=SEQUENCE:key '[key]' version=INTEGER:1 "private=FORMAT:HEX,OCTETSTRING:$private" \\
                    'curve=EXPLICIT:0,OID:prime256v1' "public=EXPLICIT:1,FORMAT:HEX,BITSTRING:$public" > key.conf
                openssl asn1parse -genconf key.conf -noout -out wrong.der
                { echo '-----BEGIN EC PRIVATE KEY-----'; base64 -w 64 wrong.der; echo '-----END EC PRIVATE KEY-----'; } > wrong.key
                cp idevid.pem wrong.pem
                """
            )
            let own = try await bench.post("device.b64", ["--tlsv\(version)", "--tls-max", version])
            #expect(own.status == 200)
            let wrong = try await bench.program(
                """
                curl -vsS --tlsv\(version) --tls-max \(version) --cacert "$ROOT" --cert wrong.pem --key wrong.key \\
                    "$EST/.well-known/est/cacerts"
                """
            )
            #expect(!wrong.succeeded)
            #expect(wrong.output.isEmpty)
            #expect(
                wrong.errorOutput.contains(#/alert (decrypt error|bad certificate|handshake failure)/#),
                "\(wrong.errorOutput)"
            )
        }

        @Test func `a key that may not sign by its certificate ends the handshake (V-01)`() async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh("echo keyUsage=critical,keyAgreement > idevid.ext; idevid idevid \"/serialNumber=$ID\"")
            #expect(try await bench.post("device.b64").status == 0)
        }

        @Test(arguments: [(7, 200), (8, 0)])
        func `a chain of 8 certificates is accepted, of 9 not (TLS-13)`(intermediates: Int, status: Int) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh(
                """
                ca=$MANUFACTURER; key=$MANUFACTURER_KEY; : > chain
                for number in $(seq \(intermediates)); do
                    printf '%s\\n' basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign > "ca$number.ext"
                    credential "ca$number" "$ca" "$key" "/CN=CA $number of $ID"
                    ca=ca$number.pem; key=ca$number.key
                    cat "$ca" chain > longer; mv longer chain
                done
                credential idevid "$ca" "$key" "/serialNumber=$ID"
                cat chain >> idevid.pem
                """
            )
            let answer = try await bench.post("device.b64")
            #expect(answer.status == status, "\(answer.text)")
        }

        @Test func `a chain of more than 32 KiB is not accepted (TLS-13)`() async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh(
                """
                echo "1.2.3.4=ASN1:UTF8String:$(head -c 33000 /dev/zero | tr '\\0' x)" >> idevid.ext
                idevid idevid "/serialNumber=$ID"
                """
            )
            #expect(try await bench.post("device.b64").status == 0)
        }

        @Test func `a connection that says nothing is closed (TLS-13)`() async throws {
            let bench = try await Workbench()
            let began = ContinuousClock.now
            // cat ends when the server closes.
            try await bench.sh(
                "timeout 60 bash -c 'exec 3<>\"/dev/tcp/localhost/$1\"; cat <&3' bash \"${AUTHORITY##*:}\""
            )
            #expect(ContinuousClock.now - began > .seconds(8))
        }

        @Test func `a handshake that stops half-way is closed (TLS-13)`() async throws {
            let bench = try await Workbench()
            // The first octets of a ClientHello.
            try await bench.sh(
                """
                timeout 60 bash -c 'exec 3<>"/dev/tcp/localhost/$1"; printf "\\\\x16\\\\x03\\\\x01\\\\x02\\\\x00\\\\x01" >&3; cat <&3' \\
                    bash "${AUTHORITY##*:}"
                """
            )
        }

        @Test(
            arguments: ["NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"],
            [nil, "idevid"] as [String?]
        )
        func `GnuTLS is answered in HTTP, with and without certificate (TLS-06)`(
            priority: String,
            credential: String?
        ) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let identity = credential.map { "--x509certfile \($0).pem --x509keyfile \($0).key" } ?? ""
            let text = try await bench.sh(
                """
                { printf 'POST /.well-known/est/demo/simpleenroll HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n'
                  printf 'Content-Type: application/pkcs10\\r\\nContent-Length: %s\\r\\n\\r\\n' "$(stat -c %s device.b64)"
                  cat device.b64; } |
                    timeout 60 gnutls-cli --x509cafile "$ROOT" \(identity) --priority \(priority) --port "${AUTHORITY##*:}" \\
                        --logfile log localhost
                """
            )
            #expect(text.contains(credential == nil ? "HTTP/1.1 401 Unauthorized" : "HTTP/1.1 200 OK"), "\(text)")
        }

        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func `a stranger's certificate passes TLS and is refused in HTTP with a reason (TLS-06)`(
            version: String
        ) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh("openssl req -x509 -key idevid.key -subj /CN=stranger -days 9 -out idevid.pem")
            let text = try await bench.sh(
                """
                { printf 'POST /.well-known/est/demo/simpleenroll HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n'
                  printf 'Content-Type: application/pkcs10\\r\\nContent-Length: %s\\r\\n\\r\\n' "$(stat -c %s device.b64)"
                  cat device.b64; } |
                    timeout 60 openssl s_client -connect "$AUTHORITY" -CAfile "$ROOT" -cert idevid.pem -key idevid.key \\
                        -quiet -ign_eof -nocommands \(version) 2>/dev/null
                """
            )
            #expect(text.hasPrefix("HTTP/1.1 403 Forbidden"))
            #expect(text.contains("certificate-not-trusted: "))
        }
    }
}
