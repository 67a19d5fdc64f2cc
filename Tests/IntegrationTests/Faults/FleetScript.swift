/// The program of `FaultFleet`: devices in threads, in Python, whose standard library knows TLS but nothing of Muster.
enum FleetScript {
    static let text = #"""
        import base64, json, os, queue, random, socket, ssl, sys, threading, time

        folder, root, label, out, ports, threads, seconds, visits, patience, where = sys.argv[1:]
        servers = [("127.0.0.1", int(port)) for port in ports.split(",")]
        deadline = time.time() + float(seconds)
        PAUSE_MAX = 0.3
        ANSWER_MAX = 1 << 20

        def context(device):
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            made.load_verify_locations(root)
            made.load_cert_chain(f"{folder}/{device}.idevid.pem")
            return made

        def value(der, at):
            """Start and end of the value of the DER element that begins there."""
            length = der[at + 1]
            if length < 0x80:
                return at + 2, at + 2 + length
            octets = length & 0x7f
            start = at + 2 + octets
            return start, start + int.from_bytes(der[at + 2:start], "big")

        def certificate(body):
            """The one certificate of a certs-only message (RFC 5652), in hex."""
            der = base64.b64decode(body)
            at, _ = value(der, 0)                   # ContentInfo
            _, at = value(der, at)                  # past contentType
            at, _ = value(der, at)                  # [0]
            at, end = value(der, at)                # SignedData
            while der[at] != 0xa0:                  # past version, digestAlgorithms, encapContentInfo
                _, at = value(der, at)
                if at >= end:
                    raise ValueError("no certificates")
            at, end = value(der, at)
            _, after = value(der, at)
            if after != end:
                raise ValueError("more than one certificate")
            return der[at:after].hex()

        lock = threading.Lock()
        log = open(out, "w")

        def ask(device, tls, request, server):
            event = dict(device=device, server=server, began=time.time(), sent=None, status=0, octets=0,
                         isWhole=False, retryAfter=None, certificate=None, problem=None)
            heard = b""
            try:
                with socket.create_connection(servers[server], timeout=30) as plain:
                    with tls.wrap_socket(plain, server_hostname="localhost") as connection:
                        connection.sendall(request)
                        event["sent"] = time.time()
                        need = None
                        while need is None or len(heard) < need:
                            part = connection.recv(65536)
                            if not part:
                                break
                            heard += part
                            event["octets"] = len(heard)
                            if len(heard) > ANSWER_MAX:
                                raise ValueError("an endless answer")
                            end = heard.find(b"\r\n\r\n")
                            if need is None and end >= 0:
                                lines = heard[:end].decode("latin-1").split("\r\n")
                                fields = dict((name.lower(), text.strip()) for name, text in
                                              (line.split(":", 1) for line in lines[1:]))
                                need = end + 4 + int(fields.get("content-length", "0"))
                                event["status"] = int(lines[0].split(" ")[1])
                                event["retryAfter"] = fields.get("retry-after")
                        event["isWhole"] = need is not None and len(heard) == need
            except (OSError, ValueError) as error:
                event["problem"] = f"{type(error).__name__}: {error}"
            if event["isWhole"] and event["status"] == 200:
                try:
                    event["certificate"] = certificate(heard[heard.find(b"\r\n\r\n") + 4:])
                except (ValueError, IndexError) as error:
                    event["problem"] = f"the certificate: {error}"
            event["ended"] = time.time()
            with lock:
                log.write(json.dumps(event) + "\n")
                log.flush()
            return event

        def play(device):
            tls = context(device)
            with open(f"{folder}/{device}.b64", "rb") as file:
                body = file.read()
            request = (f"POST /.well-known/est/{label}/simpleenroll HTTP/1.1\r\nHost: localhost\r\n"
                       "Content-Type: application/pkcs10\r\n"
                       f"Content-Length: {len(body)}\r\n\r\n").encode() + body
            for _ in range(int(visits)):
                if where == "everywhere":
                    at_once = threading.Barrier(len(servers))
                    def one(server):
                        at_once.wait(30)
                        ask(device, tls, request, server)
                    all_of_it = [threading.Thread(target=one, args=(server,)) for server in range(len(servers))]
                    for thread in all_of_it: thread.start()
                    for thread in all_of_it: thread.join()
                    continue
                while time.time() < deadline:
                    event = ask(device, tls, request, random.randrange(len(servers)))
                    if event["certificate"] or patience == "once":
                        break
                    asked = float(event["retryAfter"] or PAUSE_MAX)
                    time.sleep(min(asked, PAUSE_MAX))

        waiting = queue.SimpleQueue()
        for name in sorted(os.listdir(folder)):
            if name.endswith(".b64"):
                waiting.put(name[:-len(".b64")])

        def work():
            while time.time() < deadline:
                try:
                    device = waiting.get_nowait()
                except queue.Empty:
                    return
                play(device)

        workers = [threading.Thread(target=work) for _ in range(int(threads))]
        for worker in workers: worker.start()
        for worker in workers: worker.join()
        """#
}
