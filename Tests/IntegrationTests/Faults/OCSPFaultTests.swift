import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests.Faults {
    /// What the OCSP responders of several servers say, whatever is killed or sent.
    @Suite struct OCSPFaultTests {
        /// What openssl reads in a server's answer, asked by GET as through a cache.
        private static func answer(_ server: FaultServer, _ device: SystemDevice) async throws -> String {
            try await Shell.run(
                """
                openssl ocsp -no_nonce -issuer "$2" -cert "$3" -reqout "$3.request"
                curl -sS -o "$3.answer" "$1/ocsp/$(base64 -w0 "$3.request" | sed 's/+/%2B/g; s,/,%2F,g')"
                cat "$2" "$4" > "$3.cas"
                openssl ocsp -no_nonce -issuer "$2" -cert "$3" -respin "$3.answer" -CAfile "$3.cas" 2>&1 \
                    | sed -n 's/.*device.pem: //p'
                """,
                server.publicURL,
                device.document.files.issuer,
                device.certificateFile,
                device.document.files.root
            )
        }

        @Test func `all servers call a device revoked soon after one did it, and after they were killed`() async throws
        {
            let bed = try await FaultBed()
            let one = try await bed.server()
            let other = try await bed.server()
            let device = try await SystemDevice(bed.document).enrolled()
            // Both have an answer to keep.
            for server in [one, other] { #expect(try await Self.answer(server, device) == "good") }
            try await bed.muster("revoke", device.id, "--fleet", bed.document.fleet, "--reason", "keyCompromise")
            for server in [one, other] {
                try await Eventually.holds("the revocation in an answer", seconds: 10) {
                    try await Self.answer(server, device) == "revoked"
                }
            }
            // From its first answer on: nothing of it was in memory alone.
            let again = try await one.killedAndStarted()
            #expect(try await Self.answer(again, device) == "revoked")
            #expect(try await Self.answer(other, device) == "revoked")
            for server in [again, other] {
                server.program.signal(SIGTERM)
                #expect(try await server.program.end(withinSeconds: 10) == 0)
            }
        }

        // O-02, O-11
        @Test func `ten thousand malformed requests leave responder and CRLs serving`() async throws {
            let bed = try await FaultBed()
            let server = try await bed.server()
            let device = try await SystemDevice(bed.document).enrolled()
            #expect(try await Self.answer(server, device) == "good")
            try server.forgetPeak()
            let start = try server.peakMiB()
            let seed = UInt32.random(in: 0 ... .max)
            let said = try await Shell.run(
                Self.malformed,
                server.publicURL,
                device.certificateFile + ".request",
                "\(seed)",
                bed.document.fleet
            )
            // One line: each pair of HTTP status and OCSP status, as often as it came.
            let kinds = Set(said.split(separator: " ").map { String($0.prefix { $0 != "=" }) })
            #expect(kinds.isSubset(of: Self.expected), "\(said) seed \(seed)")
            #expect(kinds.isSuperset(of: ["200/1", "404/-", "304/-", "200/-"]), "\(said) seed \(seed)")
            #expect(try await Self.answer(server, device) == "good")
            #expect(try await !PublicLook(server, device).list().isListed)
            #expect(try server.peakMiB() - start < 64)
            server.program.signal(SIGTERM)
            #expect(try await server.program.end(withinSeconds: 10) == 0)
        }

        /// HTTP status, and the OCSP status of RFC 6960 section 4.2.1 where the answer is one: a request that was changed
        /// may be one for another certificate (0) or issuer (6). CRLs are given out whatever condition is no condition.
        private static let expected: Set<String> = [
            "200/1", "200/0", "200/6", "404/-", "405/-", "413/-", "415/-", "400/-", "200/-", "304/-",
        ]

        private static let malformed = #"""
            python3 - "$@" <<'PYTHON'
            import base64, collections, http.client, random, sys, urllib.parse
            front, request, seed = urllib.parse.urlsplit(sys.argv[1]), open(sys.argv[2], "rb").read(), int(sys.argv[3])
            fleet = sys.argv[4]
            chance, counts = random.Random(seed), collections.Counter()
            connection = http.client.HTTPConnection(front.hostname, front.port, timeout=30)
            def changed():
                octets = bytearray(request)
                kind = chance.randrange(4)
                if kind == 0:
                    return chance.randbytes(chance.randrange(400))
                if kind == 1:
                    return bytes(octets[:chance.randrange(len(octets))])
                for _ in range(chance.randrange(1, 6)):
                    octets[chance.randrange(len(octets))] = chance.randrange(256)
                return bytes(octets) + (chance.randbytes(5) if kind == 3 else b"")
            def path():
                text = base64.b64encode(changed()).decode()
                kind = chance.randrange(4)
                if kind == 0:
                    text = "".join(chance.choice("/%+=.abcXYZ019-_~") for _ in range(chance.randrange(1, 600)))
                quoted = urllib.parse.quote(text, safe="/+=%" if kind == 0 else "")
                return "/ocsp/" + quoted
            def text(letters, most):
                return "".join(chance.choice(letters) for _ in range(chance.randrange(most)))
            def document():
                known = chance.choice([
                    "/crl/dev.crl", "/crl/dev/1.pem", "/crl/dev/128.delta.crl", "/ca/dev.cer", f"/truststore/{fleet}.cms"])
                kind = chance.randrange(3)
                if kind == 0:
                    return known
                if kind == 1:
                    at = chance.randrange(1, len(known))
                    return known[:at] + text("/%.-_0129azAZcrlpem", 9) + known[at + chance.randrange(3):]
                return chance.choice(["/crl/", "/crl/dev/", "/truststore/", "/ca/"]) + urllib.parse.quote(
                    chance.randbytes(chance.randrange(60)), safe="/%")
            def condition():
                tag = chance.choice(["*", "W/", '"', '"a"', ",", "\t"]) + text('W/"*, az09\t', 40)
                date = chance.choice(["Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Jan 9999 00:00:00 GMT", ""])
                at = chance.randrange(len(date) + 1)
                return {"If-None-Match": tag, "If-Modified-Since": date[:at] + text("0123456789 ,:GMT", 9) + date[at:]}
            for number in range(10_000):
                if number % 3 == 0:
                    connection.request("GET", document(), headers=condition() if chance.randrange(2) else {})
                elif number % 3 == 1:
                    connection.request("GET", path())
                else:
                    kind = "application/ocsp-request" if chance.randrange(20) else "text/plain"
                    body = changed() if chance.randrange(500) else bytes(20_000)
                    connection.request("POST", "/ocsp", body, {"Content-Type": kind})
                answer = connection.getresponse()
                body = answer.read()
                isOCSP = answer.getheader("content-type") == "application/ocsp-response"
                status = body[body.index(b"\x0a\x01") + 2] if isOCSP else "-"
                counts[f"{answer.status}/{status}"] += 1
            print(*(f"{kind}={count}" for kind, count in counts.items()))
            PYTHON
            """#
    }
}
