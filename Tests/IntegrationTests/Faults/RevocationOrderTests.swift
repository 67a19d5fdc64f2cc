import Foundation
import TestPeers
import Testing

extension SystemTests.Faults {
    /// What a server says in the order in which it says it: whoever was told that a stage is reached meets nothing from
    /// before it there.
    @Suite struct RevocationOrderTests {
        /// What many who ask without end saw of one revocation.
        private struct Sight: Decodable {
            /// Of the order to revoke.
            let status: Int
            /// Seconds from the answer to that until the API told of the stage.
            let ocsp: Double
            let crl: Double
            /// Requests that began after that, and of these the ones whose answer lacked the revocation.
            let answersAfter: Int
            let goodAfter: Int
            let listsAfter: Int
            let unlistedAfter: Int
            /// Answers from before, which show that there was something to change.
            let goodBefore: Int
            let unlistedBefore: Int
            /// The others, such as failed connections.
            let odd: [String]
        }

        private static func watch(_ bed: RevocationBed, _ server: FaultServer) async throws -> Sight {
            let device = try await bed.device(at: server)
            #expect(try await PublicLook(server, device).verdict() == "good")
            #expect(try await !PublicLook(server, device).list().isListed)
            let said = try await Shell.run(
                script,
                server.publicURL,
                server.operatorURL,
                bed.document.files.root,
                bed.document.files.operatorCert,
                bed.document.files.operatorKey,
                "/api/v1/fleets/\(bed.document.fleet)/devices/\(device.id)",
                device.certificateFile
            )
            let sight = try JSONDecoder().decode(Sight.self, from: Data(said.utf8))
            #expect(sight.status == 200)
            #expect(sight.goodBefore > 0 && sight.unlistedBefore > 0, "\(said)")
            #expect(sight.answersAfter > 0 && sight.listsAfter > 0, "\(said)")
            #expect(sight.odd.isEmpty, "\(said)")
            #expect(sight.goodAfter == 0, "good was said after the API had told that no answer would: \(said)")
            #expect(sight.unlistedAfter == 0, "a list lacked it after the API had told that it would not: \(said)")
            return sight
        }

        @Test func `once the API tells that OCSP and CRL have a revocation, no answer and no list lacks it`()
            async throws
        {
            let bed = try await RevocationBed()
            let server = try await bed.server()
            for _ in 0..<5 { _ = try await Self.watch(bed, server) }
            try await server.stop()
        }

        @Test func `notices that are lost delay a revocation by seconds, and nothing is told before it is so`()
            async throws
        {
            let bed = try await RevocationBed()
            let server = try await bed.server()
            // The pool has its connections.
            _ = try await Self.watch(bed, server)
            // The server may go on with the sessions that it has; that in which it listens ends, and it gets no other.
            let elsewhere = RecordProbe(bed.document, database: "postgres")
            try await elsewhere.query(
                """
                alter database muster with allow_connections false;
                select pg_terminate_backend(pid) from pg_stat_activity where datname = 'muster' and query like 'LISTEN%'
                """
            )
            try await Eventually.holds("the server without notices") {
                server.program.log.contains("cannot listen to PostgreSQL")
            }
            _ = try await Self.watch(bed, server)
            try await elsewhere.query("alter database muster with allow_connections true")
            try await server.stop()
        }

        /// Asks without end, on connections that stay open, in each of the ways in which caches ask; revokes meanwhile.
        private static let script = #"""
            python3 - "$@" <<'PYTHON'
            import base64, http.client, json, ssl, subprocess, sys, threading, time, urllib.parse
            front, operators, root, cert, key, device, certificate = sys.argv[1:]
            front, operators = urllib.parse.urlsplit(front), urllib.parse.urlsplit(operators)
            def openssl(*words):
                return subprocess.run(("openssl",) + words, check=True, capture_output=True, text=True).stdout
            serial = bytes.fromhex(openssl("x509", "-in", certificate, "-noout", "-serial").strip().split("=")[1])
            serial = bytes([2, len(serial)]) + serial
            names = openssl("x509", "-in", certificate, "-noout", "-ext", "crlDistributionPoints")
            lists = urllib.parse.urlsplit(names.split("URI:")[1].split()[0]).path
            request = open(certificate + ".request", "rb").read()
            answers = "/ocsp/" + urllib.parse.quote(base64.b64encode(request).decode(), safe="")
            lock, over, seen, odd = threading.Lock(), threading.Event(), [], []

            def ocsp(body):
                # CertStatus comes after the certificate's number (RFC 6960 section 4.2.1).
                at = body.find(serial)
                return {0x80: "good", 0xA1: "revoked"}.get(body[at + len(serial)] if at >= 0 else 0, "odd")
            def crl(body):
                return "listed" if serial in body else "unlisted"

            def ask(path, read, field):
                connection = http.client.HTTPConnection(front.hostname, front.port, timeout=60)
                last, tag = None, None
                while not over.is_set():
                    headers = {field[0]: tag} if field and tag else {}
                    began = time.monotonic()
                    try:
                        connection.request("GET", path, headers=headers)
                        answer = connection.getresponse()
                        body = answer.read()
                    except OSError as error:
                        odd.append(repr(error))
                        return
                    # What is not modified is what it was.
                    said = last if answer.status == 304 else read(body) if answer.status == 200 else "odd"
                    if said in ("odd", None):
                        odd.append(f"{answer.status} {path[:9]} {body[:20].hex()}")
                        return
                    last = said
                    if field and answer.getheader(field[1]):
                        tag = answer.getheader(field[1])
                    with lock:
                        seen.append((began, said))
            fields = [None, ("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")]
            threads = [threading.Thread(target=ask, args=(path, read, field), daemon=True)
                       for path, read in ((answers, ocsp), (lists, crl)) for field in fields for _ in range(2)]

            context = ssl.create_default_context(cafile=root)
            context.load_cert_chain(cert, key)
            operator = http.client.HTTPSConnection(operators.hostname, operators.port, context=context, timeout=60)
            def call(method, path, body=None):
                operator.request(method, path, body, {"Content-Type": "application/json"} if body else {})
                answer = operator.getresponse()
                return answer.status, answer.read()
            def wait(what, holds):
                end = time.monotonic() + 60
                while not holds():
                    if time.monotonic() > end:
                        sys.exit("waited in vain: " + what)
                    time.sleep(0.001)
            def said(word, after=0.0):
                with lock:
                    return sum(1 for began, one in seen if one == word and began > after)

            call("GET", device)
            for thread in threads:
                thread.start()
            wait("answers from before", lambda: odd or (said("good") > 20 and said("unlisted") > 20))
            before = (said("good"), said("unlisted"))
            status, _ = call("POST", device + "/revoke", json.dumps({"reason": "keyCompromise"}))
            committed, reached = time.monotonic(), {}
            def stages():
                status, body = call("GET", device + "/revocation")
                now = time.monotonic()
                for step in json.loads(body)["steps"] if status == 200 else []:
                    if step["isReached"]:
                        reached.setdefault(step["stage"], now)
                return "ocsp" in reached and "crl" in reached
            wait("the stages", stages)
            wait("answers from after", lambda: odd or (
                said("revoked", reached["ocsp"]) > 20 and said("listed", reached["crl"]) > 20))
            over.set()
            for thread in threads:
                thread.join()
            print(json.dumps({
                "status": status, "ocsp": reached["ocsp"] - committed, "crl": reached["crl"] - committed,
                "answersAfter": said("revoked", reached["ocsp"]), "goodAfter": said("good", reached["ocsp"]),
                "listsAfter": said("listed", reached["crl"]), "unlistedAfter": said("unlisted", reached["crl"]),
                "goodBefore": before[0], "unlistedBefore": before[1], "odd": odd[:5],
            }))
            PYTHON
            """#
    }
}
