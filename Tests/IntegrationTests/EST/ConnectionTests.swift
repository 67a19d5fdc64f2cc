import TestPeers
import Testing

extension ESTFrontTests {
    /// Resumed sessions and connections that stay open (EST-05, TLS-09, TLS-10).
    struct ConnectionTests {
        /// Posts `device.b64` over openssl s_client with options; its output holds the answer and what s_client says.
        private static let enroll = """
            enroll() {
                { printf 'POST /.well-known/est/demo/simpleenroll HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n'
                  printf 'Content-Type: application/pkcs10\\r\\nContent-Length: %s\\r\\n\\r\\n' "$(stat -c %s device.b64)"
                  cat device.b64; } |
                    timeout 60 openssl s_client -connect "$AUTHORITY" -CAfile "$ROOT" -ign_eof -nocommands "$@" 2>&1
            }

            """

        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func `a resumed session brings the client's identity back (EST-05)`(version: String) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let first = try await bench.sh(
                Self.enroll + "enroll \(version) -cert idevid.pem -key idevid.key -sess_out session"
            )
            #expect(first.contains("HTTP/1.1 200 OK") && first.contains("New, TLS"))
            // No certificate this time: who it is, the session alone says.
            let resumed = try await bench.sh(Self.enroll + "enroll \(version) -sess_in session")
            #expect(resumed.contains("Reused, TLS"))
            #expect(resumed.contains("HTTP/1.1 200 OK"), "\(resumed)")
            let rows = try await RecordProbe(bench.document).query(
                "select outcome, credential_kind from attempts where device_id = '\(bench.id)' order by id"
            )
            #expect(rows == "issued|idevid\nrepeated|idevid")
        }

        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func
            `a resumed session of an IDevID below an intermediate still has its path, for longer than a reload (EST-05)`(
                version: String
            ) async throws
        {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let resumed = try await bench.sh(
                Self.enroll + """
                    printf '%s\\n' basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign > sub.ext
                    credential sub "$MANUFACTURER" "$MANUFACTURER_KEY" "/CN=Plant of $ID"
                    credential idevid sub.pem sub.key "/serialNumber=$ID"
                    enroll \(version) -cert idevid.pem -key idevid.key -cert_chain sub.pem -sess_out session > first
                    grep -q 'HTTP/1.1 200 OK' first
                    # The server looks for changes of its fleets every five seconds, and finds none.
                    until=$((SECONDS + 8))
                    while ((SECONDS < until)); do
                        enroll \(version) -sess_in session > again
                        grep -q 'Reused, TLS' again && grep -q 'HTTP/1.1 200 OK' again || { cat again; exit 1; }
                    done
                    cat again
                    """
            )
            #expect(resumed.contains("Reused, TLS"))
            #expect(resumed.contains("HTTP/1.1 200 OK"), "\(resumed)")
        }

        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func `a session that began without certificate has none when it is resumed (EST-05)`(
            version: String
        ) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let answers = try await bench.sh(
                Self.enroll + "enroll \(version) -sess_out session; enroll \(version) -sess_in session"
            )
            #expect(answers.contains("Reused, TLS"))
            #expect(answers.matches(of: #/HTTP\/1\.1 401 Unauthorized/#).count == 2)
        }

        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func `a resumed session is judged anew: a revoked certificate is refused (TLS-10, TLS-12)`(
            version: String
        ) async throws {
            let bench = try await Workbench.enrolled()
            try await bench.makeRenewal("device", of: "device")
            let script = Self.enroll.replacing("simpleenroll", with: "simplereenroll")
            let first = try await bench.sh(
                script + "enroll \(version) -cert device.pem -key device.key -sess_out session"
            )
            #expect(first.contains("HTTP/1.1 200 OK"))
            try await RecordProbe(bench.document).query(
                "update certificates set status = 'revoked' where device_id = '\(bench.id)'"
            )
            let resumed = try await bench.sh(script + "enroll \(version) -sess_in session")
            #expect(resumed.contains("Reused, TLS"))
            #expect(resumed.contains("HTTP/1.1 403 Forbidden") && resumed.contains("certificate-revoked: "))
        }

        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func `tickets live for seven days at most (TLS-09)`(version: String) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let text = try await bench.sh(Self.enroll + "enroll \(version)")
            let hints = text.matches(of: #/ticket lifetime hint: (\d+) /#).compactMap { Int($0.1) }
            #expect(!hints.isEmpty)
            #expect(hints.allSatisfy { (1...604_800).contains($0) }, "\(hints)")
        }

        @Test func `one connection carries two requests and more (keep-alive)`() async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            let counts = try await bench.sh(
                """
                post() { printf '%s\\n' --next "$@"; }
                options=(-sS --cacert "$ROOT" --cert idevid.pem --key idevid.key -o /dev/null -w '%{http_code} %{num_connects}\\n')
                url=$EST/.well-known/est/demo
                curl "${options[@]}" "$url/cacerts" \\
                    --next "${options[@]}" -H 'Content-Type: application/pkcs10' --data-binary @device.b64 "$url/simpleenroll" \\
                    --next "${options[@]}" -H 'Content-Type: application/pkcs10' --data-binary @device.b64 "$url/simpleenroll" \\
                    --next "${options[@]}" "$url/nosuchthing" --next "${options[@]}" "$url/csrattrs"
                """
            )
            #expect(counts == "200 1\n200 0\n200 0\n404 0\n204 0")
        }

        @Test func `requests sent at once on one connection are answered in their order (EST-70)`() async throws {
            let bench = try await Workbench()
            let text = try await bench.sh(
                """
                get() { printf 'GET %s HTTP/1.1\\r\\nHost: localhost\\r\\n%s\\r\\n' "$1" "${2:-}"; }
                { get /.well-known/est/csrattrs; get /nothing; get /.well-known/est/cacerts $'Connection: close\\r\\n'; } |
                    timeout 60 openssl s_client -quiet -connect "$AUTHORITY" -CAfile "$ROOT" -ign_eof -nocommands 2>/dev/null
                """
            )
            let lines = text.matches(of: #/HTTP\/1\.1 (\d+) /#).map { String($0.1) }
            #expect(lines == ["204", "404", "200"])
        }
    }
}
