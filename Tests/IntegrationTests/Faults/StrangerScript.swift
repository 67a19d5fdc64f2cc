/// The program of `Stranger`: what no device does, by raw sockets and by TLS.
enum StrangerScript {
    static let text = #"""
        import base64, json, os, random, resource, selectors, socket, ssl, sys, threading, time

        what, port, root, arguments = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
        server = ("127.0.0.1", port)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

        def say(**values):
            print(json.dumps(values), flush=True)

        def context(credential=None):
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            made.load_verify_locations(root)
            if credential:
                made.load_cert_chain(credential)
            return made

        def connected(tls, timeout=30, source=None):
            plain = socket.create_connection(server, timeout=timeout, source_address=source)
            try:
                return tls.wrap_socket(plain, server_hostname="localhost")
            except BaseException:
                plain.close()
                raise

        def hello():
            """A ClientHello."""
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = context().wrap_bio(incoming, outgoing, server_hostname="localhost")
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                pass
            return outgoing.read()

        def heard(connection, seconds):
            """All that comes until the end of the connection or of the time, and whether the connection ended."""
            got, deadline = b"", time.time() + seconds
            while time.time() < deadline:
                connection.settimeout(max(0.01, deadline - time.time()))
                try:
                    part = connection.recv(65536)
                except socket.timeout:
                    return got, False
                except OSError:
                    return got, True
                if not part:
                    return got, True
                got += part
            return got, False

        def status(answer):
            words = answer.split(b"\r\n", 1)[0].split(b" ")
            return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

        def half_open(count, seconds):
            begun, held, many = hello(), selectors.DefaultSelector(), int(count)
            deadline = time.time() + float(seconds)
            for number in range(many):
                plain = socket.socket()
                plain.bind((f"127.0.1.{1 + number % 50}", 0))
                plain.settimeout(30)
                plain.connect(server)
                plain.sendall(begun[:len(begun) // 2])
                plain.setblocking(False)
                held.register(plain, selectors.EVENT_READ, time.time())
            say(open=many)
            closed, longest = 0, 0
            while closed < many and time.time() < deadline:
                for key, _ in held.select(timeout=1):
                    try:
                        if key.fileobj.recv(4096):
                            continue
                    except OSError:
                        pass
                    held.unregister(key.fileobj)
                    key.fileobj.close()
                    closed += 1
                    longest = max(longest, time.time() - key.data)
            say(closed=closed, longest=longest)

        HEAD = ("POST /.well-known/est/demo/simpleenroll HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: application/pkcs10\r\n")

        def slow_head(seconds):
            with connected(context()) as connection:
                began = time.time()
                slowly(connection, HEAD.encode() + b"X-Slow: " + b"a" * 4000, float(seconds), began)

        def slow_body(credential, seconds):
            with connected(context(credential)) as connection:
                connection.sendall((HEAD + "Content-Length: 4000\r\n\r\n").encode())
                slowly(connection, b"A" * 4000, float(seconds), time.time())

        def slowly(connection, octets, seconds, began):
            """An octet now and then, until there is an answer."""
            got, ended, sent = b"", False, 0
            for octet in octets:
                if time.time() > began + seconds or ended or got:
                    break
                try:
                    connection.sendall(bytes([octet]))
                    sent += 1
                except OSError:
                    ended = True
                    break
                got, ended = heard(connection, 0.2)
            if got and not ended:
                more, ended = heard(connection, 10)
                got += more
            say(status=status(got), ended=ended, octets=sent, seconds=time.time() - began)

        def large_body(credential, size, form, patience):
            octets = b"!" * int(size)
            with connected(context(credential)) as connection:
                if form == "chunked":
                    connection.sendall((HEAD + "Transfer-Encoding: chunked\r\n\r\n").encode())
                    parts = [f"{len(octets):x}\r\n".encode() + octets + b"\r\n0\r\n\r\n"]
                else:
                    connection.sendall((HEAD + f"Content-Length: {len(octets)}\r\n\r\n").encode())
                    parts = [octets]
                began, sent = time.time(), 0
                try:
                    for part in parts:
                        connection.sendall(part)
                        sent += len(part)
                except OSError:
                    pass
                got, ended = heard(connection, float(patience))
                say(status=status(got), ended=ended, octets=sent, seconds=time.time() - began)

        def endless_body(credential, most, form):
            """Sends on and on, and reads what comes meanwhile."""
            part = b"A" * 16384
            with connected(context(credential)) as connection:
                length = "Transfer-Encoding: chunked" if form == "chunked" else f"Content-Length: {1 << 40}"
                connection.sendall((HEAD + length + "\r\n\r\n").encode())
                if form == "chunked":
                    part = f"{len(part):x}\r\n".encode() + part + b"\r\n"
                began, sent, got, ended = time.time(), 0, b"", False
                while sent < int(most) and time.time() < began + 30:
                    try:
                        connection.settimeout(1)
                        connection.sendall(part)
                        sent += len(part)
                    except socket.timeout:
                        continue
                    except OSError:
                        ended = True
                        break
                    if not got:
                        connection.settimeout(0.001)
                        try:
                            got = connection.recv(65536)
                        except OSError:
                            pass
                say(status=status(got), ended=ended, octets=sent, seconds=time.time() - began)

        def spoilt(dice, octets):
            """The same with a few octets changed, each in a place of its own, where two changes cannot undo each other. More
            than one: what a single octet may say unnoticed is the unit tests' matter (a signature's unused bits)."""
            made = bytearray(octets)
            for place in dice.sample(range(len(made)), dice.randint(2, 8)):
                made[place] ^= dice.randint(1, 255)
            return bytes(made)

        def garbage_tls(dice, begun):
            kind = dice.randrange(4)
            octets = dice.randbytes(dice.randint(1, 2000))
            if kind == 1:
                octets = bytes([dice.choice([20, 21, 22, 23]), 3, dice.randint(0, 4)]) \
                    + len(octets).to_bytes(2, "big") + octets
            elif kind == 2:
                octets = spoilt(dice, begun)
            elif kind == 3:
                octets = begun + octets
            with socket.create_connection(server, timeout=30) as plain:
                plain.sendall(octets)
                if dice.random() < 0.5:
                    heard(plain, 0.02)

        def garbage_http(dice, tls):
            kind = dice.randrange(6)
            octets = dice.randbytes(dice.randint(1, 3000))
            text = base64.b64encode(octets)
            if kind == 1:
                octets = b"GET /" + text + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
            elif kind == 2:
                octets = text[:20] + b" /.well-known/est/simpleenroll HTTP/1.1\r\n" + octets
            elif kind == 3:
                octets = HEAD.encode() + b"X: " + text * 12 + b"\r\n\r\n"
            elif kind == 4:
                octets = HEAD.encode() + b"Content-Length: " + dice.choice([b"-1", b"9" * 30, b"0x10", text[:9]]) \
                    + b"\r\n\r\n" + octets
            elif kind == 5:
                octets = HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + octets
            with connected(tls) as connection:
                connection.sendall(octets)
                heard(connection, 0.05)

        def garbage_request(dice, request):
            """The body of a request that is none."""
            kind = dice.randrange(5)
            octets = dice.randbytes(dice.randint(1, 3000))
            if kind == 0:
                return octets
            if kind == 1:
                return base64.b64encode(octets)
            if kind == 2:
                octets = b"\x30\x82" + len(octets).to_bytes(2, "big") + octets
                return base64.b64encode(octets)
            if kind == 3:
                return base64.b64encode(request[:dice.randrange(len(request))])
            return base64.b64encode(spoilt(dice, request))

        def exchange(connection, body):
            """One request on an open connection; status and Request-Id of the answer, and whether more may follow."""
            connection.sendall((HEAD + f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
            got, need = b"", None
            while need is None or len(got) < need:
                part = connection.recv(65536)
                if not part:
                    break
                got += part
                end = got.find(b"\r\n\r\n")
                if need is None and end >= 0:
                    lines = got[:end].decode("latin-1").split("\r\n")[1:]
                    fields = dict((name.lower(), text.strip()) for name, text in
                                  (line.split(":", 1) for line in lines))
                    need = end + 4 + int(fields.get("content-length", "0"))
            if need is None or len(got) < need:
                return 0, None, False
            return status(got), fields.get("request-id"), fields.get("connection") != "close"

        def garbage(seed, tls_count, http_count, request_count, credential, request_file, threads):
            many = int(threads)
            with open(request_file, "rb") as file:
                request = base64.b64decode(file.read())
            begun, anonymous, known = hello(), context(), context(credential)
            statuses, ids, failures, lock = {}, [], {}, threading.Lock()

            def note(error):
                with lock:
                    failures[type(error).__name__] = failures.get(type(error).__name__, 0) + 1

            def work(number):
                dice = random.Random(int(seed) * many + number)
                share = lambda count: int(count) // many
                for _ in range(share(tls_count)):
                    try: garbage_tls(dice, begun)
                    except OSError as error: note(error)
                for _ in range(share(http_count)):
                    try: garbage_http(dice, anonymous)
                    except OSError as error: note(error)
                connection = None
                for _ in range(share(request_count)):
                    body = garbage_request(dice, request)
                    try:
                        if connection is None:
                            connection = connected(known)
                        code, name, goes_on = exchange(connection, body)
                    except OSError as error:
                        note(error)
                        code, name, goes_on = 0, None, False
                    if not goes_on and connection is not None:
                        connection.close()
                        connection = None
                    with lock:
                        statuses[code] = statuses.get(code, 0) + 1
                        if name: ids.append(name)
                if connection is not None:
                    connection.close()

            workers = [threading.Thread(target=work, args=(number,)) for number in range(many)]
            for worker in workers: worker.start()
            for worker in workers: worker.join()
            say(statuses={str(code): count for code, count in statuses.items()}, ids=ids, failures=failures)

        {"half-open": half_open, "slow-head": slow_head, "slow-body": slow_body, "large-body": large_body,
         "endless-body": endless_body, "garbage": garbage}[what](*arguments)
        """#
}
