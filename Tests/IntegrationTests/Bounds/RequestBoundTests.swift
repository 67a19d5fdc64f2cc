import TestPeers
import Testing

extension SystemTests.Bounds {
    /// The bounds on what a device shows and asks for, as they are and as they are configured.
    @Suite struct RequestBoundTests {
        /// Makes an IDevID below that many intermediates, each with its own key, and posts the device's request.
        private static let chain = """
            cd "$1"
            make() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.req" \\
                -subj "$2" 2>/dev/null; }
            sign() { openssl x509 -req -in "$1.req" -CA "$2" -CAkey "$3" -set_serial "0x4$RANDOM$RANDOM" -days 9 \\
                -extfile "$4" -out "$1.pem" 2>/dev/null; }
            printf '%s\\n' basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign > ca.ext
            printf '%s\\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature > leaf.ext
            ca=$2; key=$3; : > chain
            for number in $(seq "$4"); do
                make "ca$number" "/CN=CA $number"; sign "ca$number" "$ca" "$key" ca.ext
                ca=ca$number.pem; key=ca$number.key
                cat "$ca" chain > longer; mv longer chain
            done
            make leaf "/serialNumber=$5"; sign leaf "$ca" "$key" leaf.ext
            cat leaf.pem chain > shown.pem
            curl -sS --max-time 60 --cacert "$6" --cert shown.pem --key leaf.key -o /dev/null -w '%{http_code}' \\
                "$7/.well-known/est/cacerts" 2>/dev/null || true
            """

        @Test(arguments: [(2, "200"), (3, "000")])
        func `a chain over the bound ends the handshake, and one at the bound is taken (TLS-13)`(
            intermediates: Int,
            status: String
        ) async throws {
            let server = try await BoundedServers.shared.smallFront()
            let folder = try TemporaryDirectory(prefix: "mchain")
            let before = try await server.reached("chain")
            let files = server.bed.document.files
            let seen = try await Shell.run(
                Self.chain,
                folder.path,
                files.manufacturerCert,
                files.manufacturerKey,
                "\(intermediates)",
                "chain-\(UInt32.random(in: 0 ... .max))",
                files.root,
                server.server.url
            )
            #expect(seen == status)
            let rise = try await server.reached("chain") - before
            #expect((rise > 0) == (status == "000"), "\(rise)")
        }

        /// A request beyond a bound, and the code of its refusal.
        struct Beyond: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let reason: String
            let status: String
            /// openssl req's options, by a shell in which `list` writes so many comma-separated words of a pattern.
            let options: String
        }

        private static let subject = #"-subj "/serialNumber=$ID""#

        private static let requests = [
            Beyond(
                testDescription: "octets",
                reason: "request-too-large",
                status: "413",
                options: "\(subject) -addext \"nsComment=$(head -c 2500 /dev/zero | tr '\\0' x)\""
            ),
            Beyond(
                testDescription: "names",
                reason: "request-unreadable",
                status: "400",
                options: "\(subject) -addext \"subjectAltName=$(list 9 DNS:d%d)\""
            ),
            Beyond(
                testDescription: "extensions",
                reason: "request-unreadable",
                status: "400",
                options: "\(subject) $(for n in $(seq 9); do echo -addext 1.2.3.$n=ASN1:NULL; done)"
            ),
            Beyond(
                testDescription: "parts of the subject",
                reason: "request-unreadable",
                status: "400",
                options: "-subj \"/serialNumber=$ID$(for n in $(seq 9); do printf /OU=u%d $n; done)\""
            ),
            Beyond(
                testDescription: "attributes",
                reason: "request-unreadable",
                status: "400",
                // With -subj openssl leaves them out.
                options: "-config attributes.conf"
            ),
        ]

        @Test(arguments: requests)
        func `a request beyond a configured bound is refused with a reason that is counted`(
            beyond: Beyond
        ) async throws {
            let server = try await BoundedServers.shared.smallFront()
            let device = try await SystemDevice(server.bed.document)
            let folder = try TemporaryDirectory(prefix: "mbeyond")
            let before = try await server.refused(beyond.reason)
            let answer = try await Shell.run(
                """
                cd "$1"; ID=$2
                list() { for n in $(seq "$1"); do printf ",$2" "$n"; done | tail -c +2; }
                {   printf '%s\\n' '[req]' distinguished_name=dn attributes=a prompt=no '[dn]' "serialNumber=$2" '[a]'
                    for n in $(seq 9); do echo "1.2.3.$n=value"; done
                } > attributes.conf
                openssl ecparam -genkey -name prime256v1 -noout -out device.key
                openssl req -new -key device.key -outform DER -out device.csr \(beyond.options)
                openssl base64 -in device.csr -out device.b64
                curl -sS --max-time 60 --cacert "$3" --cert "$4" --key "$5" -H 'Content-Type: application/pkcs10' \\
                    --data-binary @device.b64 -w ' %{http_code}' "$6/.well-known/est/$7/simpleenroll"
                """,
                folder.path,
                device.id,
                server.bed.document.files.root,
                device.idevidFile,
                device.idevidKeyFile,
                server.server.url,
                server.bed.document.fleet
            )
            #expect(answer.hasPrefix(beyond.reason + ": ") && answer.hasSuffix(" " + beyond.status), "\(answer)")
            #expect(try await server.refused(beyond.reason) > before)
        }

        @Test func `a request at the configured bounds is taken`() async throws {
            let server = try await BoundedServers.shared.smallFront()
            try await SystemDevice(server.bed.document).enrolled(at: server.server.url)
        }
    }
}
