import Foundation
import TestPeers
import Testing

extension ESTFrontTests {
    /// Each refusal, by a real request: status, reason in text and in problem details, and the row of the record.
    struct RefusalTests {
        private struct Problem: Decodable {
            let title: String
            let status: Int
            let detail: String
            let reason: String
        }

        @Test(arguments: RefusedRequest.identities)
        func `who may not ask is told why, and so is the record (EST-06, EST-25, EST-26)`(
            refused: RefusedRequest
        ) async throws {
            try await check(refused)
        }

        @Test(arguments: RefusedRequest.keys)
        func `a key that may not be certified is refused with the reason, and recorded (EST-28, K-01 to K-06)`(
            refused: RefusedRequest
        ) async throws {
            try await check(refused)
        }

        @Test(arguments: RefusedRequest.demands)
        func `a request for what is not the device's is refused with the reason, and recorded (C-02, C-03)`(
            refused: RefusedRequest
        ) async throws {
            try await check(refused)
        }

        private func check(_ refused: RefusedRequest) async throws {
            let bench = try await Workbench()
            try await bench.makeDevice()
            try await bench.sh(refused.script)
            let text = try await bench.post(
                "device.b64",
                to: refused.operation,
                as: refused.credential
            )
            #expect(text.status == refused.status, "\(text.text)")
            #expect(text.reason == refused.reason, "\(text.text)")
            #expect(text.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(text.headers["location"] == nil)
            #expect(text.body.last == 0x0A)
            // RFC 9110 section 11.6.1: a challenge with every 401.
            #expect((text.headers["www-authenticate"] != nil) == (refused.status == 401))
            let row = try await bench.attempt(text)
            #expect(
                row.hasPrefix("\(refused.operation)|refused|\(refused.stage)|\(refused.reason)|\(refused.reason)|"),
                "\(row)"
            )

            let answer = try await bench.post(
                "device.b64",
                to: refused.operation,
                as: refused.credential,
                ["-H", "Accept: application/problem+json"]
            )
            #expect(answer.status == refused.status)
            #expect(answer.headers["content-type"] == "application/problem+json")
            let problem = try JSONDecoder().decode(Problem.self, from: Data(answer.body))
            #expect(problem.status == refused.status)
            #expect(problem.reason == refused.reason)
            #expect(text.text == "\(problem.reason): \(problem.detail)\n")
            #expect(!problem.title.isEmpty)
        }

        @Test func `a key that another device holds is refused, by IDevID and by claim (C-04)`() async throws {
            let owner = try await Workbench.enrolled()
            let other = try await Workbench()
            try await other.makeDevice()
            try await other.sh("cp \"$1\" device.key; request device \"/serialNumber=$ID\"", owner.path("device.key"))
            let answer = try await other.post("device.b64")
            #expect(answer.status == 400)
            #expect(answer.reason == "key-of-another-device")
            #expect(
                try await other.attempt(answer)
                    == "simpleenroll|refused|policy|key-of-another-device|key-of-another-device|\(other.id)"
            )
            try await other.sh("request device \"/CN=$ID\"; cp \"$CLAIM\" claim.pem; cp \"$CLAIM_KEY\" claim.key")
            #expect(try await other.post("device.b64", as: "claim").reason == "key-of-another-device")
        }

        @Test func `a claim certificate cannot give an enrolled device another key`() async throws {
            let bench = try await Workbench.enrolled()
            try await bench.sh(
                "cp \"$CLAIM\" claim.pem; cp \"$CLAIM_KEY\" claim.key; key thief P-256; request thief \"/CN=$ID\""
            )
            let answer = try await bench.post("thief.b64", as: "claim")
            #expect(answer.status == 403)
            #expect(answer.reason == "device-has-another-key")
            #expect(
                try await bench.attempt(answer)
                    == "simpleenroll|refused|policy|device-has-another-key|device-has-another-key|\(bench.id)"
            )
            // The device itself goes on.
            try await bench.makeRenewal("device", of: "device")
            #expect(try await bench.post("device.b64", to: "simplereenroll", as: "device").status == 200)
        }

        @Test
        func
            `a certificate that the record has as revoked renews nothing, not even on an open connection (EST-35, TLS-12)`()
            async throws
        {
            let bench = try await Workbench.enrolled()
            try await bench.makeRenewal("device", of: "device")
            let record = RecordProbe(bench.document)
            let transcript = try await bench.sh(
                """
                ask() {
                    printf 'POST /.well-known/est/demo/simplereenroll HTTP/1.1\\r\\nHost: localhost\\r\\n'
                    printf 'Content-Type: application/pkcs10\\r\\nContent-Length: %s\\r\\n\\r\\n' "$(stat -c %s device.b64)"
                    cat device.b64
                }
                answer() { # Head and body of one answer.
                    local line length=0
                    while read -r line <&"${tls[0]}"; do
                        line=${line%$'\\r'}
                        case ${line,,} in content-length:*) length=${line#*: } ;; http*) echo "$line" ;; esac
                        [ -n "$line" ] || break
                    done
                    head -c "$length" <&"${tls[0]}" > answer.body
                }
                coproc tls { exec openssl s_client -quiet -connect "$AUTHORITY" -CAfile "$ROOT" -cert device.pem -key device.key \\
                    -nocommands 2>/dev/null; }
                ask >&"${tls[1]}"; answer
                psql -X -q "$1" -c "update certificates set status = 'revoked' where device_id = '$ID'"
                ask >&"${tls[1]}"; answer; cat answer.body
                """,
                record.superuserURI
            )
            let lines = transcript.split(separator: "\n")
            #expect(lines.first == "HTTP/1.1 200 OK")
            #expect(lines.dropFirst().first == "HTTP/1.1 403 Forbidden")
            #expect(lines.last?.hasPrefix("certificate-revoked: ") == true, "\(transcript)")
            // The key is not certified again either, whoever vouches for the device.
            try await bench.sh("request device \"/serialNumber=$ID\"")
            let again = try await bench.post("device.b64")
            #expect(again.status == 403)
            #expect(again.reason == "certificate-revoked")
        }
    }
}
