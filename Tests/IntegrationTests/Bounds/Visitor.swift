import Foundation
import TestPeers

/// A client that goes up to a bound of the device front or the public front, by raw sockets and TLS, and says in one line of JSON what it
/// saw.
enum Visitor {
    /// Of one whose connection the server is to end.
    struct Ended: Decodable {
        let ended: Bool
    }

    /// How many were let in, and what the one after them was answered once one of them had gone.
    struct Waited: Decodable {
        let served: Int
        let status: Int
    }

    /// How many were let in from one address, whether the next was closed, and what one of another address, and one more
    /// of the first after one had gone, were answered.
    struct PerAddress: Decodable {
        let served: Int
        let closed: Bool
        let other: Int
        let again: Int
    }

    /// Runs it to its end.
    /// - Parameter arguments: What it does, the server's port, the root's file, and what that takes.
    static func run<Saying: Decodable>(_ arguments: [String]) async throws -> Saying {
        let folder = try TemporaryDirectory(prefix: "mvisitor")
        let file = try folder.write("visitor.py", script.utf8)
        let result = try await Program.run("timeout", ["120", "python3", file] + arguments)
        guard result.succeeded else {
            throw BadEnd(program: arguments.joined(separator: " "), errorOutput: result.errorOutput + result.text)
        }
        return try JSONDecoder().decode(Saying.self, from: Data(result.output))
    }

    private static let script = #"""
        import json, select, socket, ssl, sys, time

        what, port, root, arguments = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]
        PATIENCE = 60

        def say(**values):
            print(json.dumps(values), flush=True)

        def context(credential=None):
            made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            made.load_verify_locations(root)
            if credential:
                made.load_cert_chain(*credential)
            return made

        def plain(source=None):
            made = socket.socket()
            made.settimeout(PATIENCE)
            if source:
                made.bind((source, 0))
            made.connect(("127.0.0.1", port))
            return made

        def wrapped(source=None, credential=None):
            """A TLS connection that has not shaken hands."""
            return context(credential).wrap_socket(plain(source), server_hostname="localhost",
                                                   do_handshake_on_connect=False)

        def shakes(connection, seconds):
            """Whether the handshake comes to its end in that time; it may be asked again."""
            connection.settimeout(seconds)
            try:
                connection.do_handshake()
            except socket.timeout:
                return False
            connection.settimeout(PATIENCE)
            return True

        def half_hello():
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = context().wrap_bio(incoming, outgoing, server_hostname="localhost")
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                pass
            hello = outgoing.read()
            return hello[:len(hello) // 2]

        def ended(connection):
            """Waits for the server to end the connection."""
            try:
                while connection.recv(65536):
                    pass
            except ConnectionError:
                pass
            except ssl.SSLError as error:
                if "EOF" not in str(error):
                    raise
            return True

        def answer(connection):
            """The status of what is answered; 0 if the connection ends without an answer."""
            got = b""
            try:
                while b"\r\n\r\n" not in got:
                    part = connection.recv(65536)
                    if not part:
                        break
                    got += part
            except (ConnectionError, ssl.SSLEOFError):
                pass
            words = got.split(b"\r\n", 1)[0].split(b" ")
            return int(words[1]) if len(words) > 1 else 0

        def asks(connection):
            connection.sendall(b"GET /.well-known/est/cacerts HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return answer(connection)

        POST = ("POST /.well-known/est/demo/simpleenroll HTTP/1.1\r\nHost: localhost\r\n"
                "Content-Type: application/pkcs10\r\n")

        def connections(most):
            """As many as are let in, from an address each; the next waits until one of them has ended."""
            open_ones, waiting = [], None
            while waiting is None and len(open_ones) < 2 * int(most):
                one = wrapped(f"127.0.3.{1 + len(open_ones)}")
                if shakes(one, 3):
                    open_ones.append(one)
                else:
                    waiting = one
            served = len(open_ones)
            status = 0
            if waiting:
                open_ones.pop(0).close()
                if shakes(waiting, PATIENCE):
                    status = asks(waiting)
            say(served=served, status=status)

        def per_address(most):
            """As many as one address may have, one more, and one from elsewhere."""
            own = [wrapped("127.0.4.1") for _ in range(int(most))]
            served = sum(shakes(one, PATIENCE) for one in own)
            over = plain("127.0.4.1")
            closed = ended(over)
            other = wrapped("127.0.4.2")
            status = asks(other) if shakes(other, PATIENCE) else 0
            own.pop().close()
            again = 0
            deadline = time.time() + PATIENCE
            while again != 200 and time.time() < deadline:
                one = wrapped("127.0.4.1")
                try:
                    if shakes(one, PATIENCE):
                        again = asks(one)
                except (ConnectionError, ssl.SSLError):
                    pass
                one.close()
            say(served=served, closed=closed, other=status, again=again)

        def handshakes(count):
            """Handshakes that go no further, and one that wants to begin."""
            hello, stalled = half_hello(), []
            for number in range(int(count)):
                one = plain(f"127.0.5.{1 + number}")
                one.sendall(hello)
                stalled.append(one)
            device = wrapped("127.0.6.1")
            status = asks(device) if shakes(device, PATIENCE) else 0
            gone = len(select.select(stalled, [], [], 0)[0])
            for one in stalled:
                one.close()
            say(status=status, gone=gone, left=len(stalled) - gone)

        def stalls():
            one = plain()
            one.sendall(half_hello())
            say(ended=ended(one))

        def silent():
            one = wrapped()
            shakes(one, PATIENCE)
            say(ended=ended(one))

        def dribbles():
            """The head of a request, octet by octet, for as long as the server takes it."""
            one = wrapped()
            shakes(one, PATIENCE)
            head = POST.encode() + b"X-Slow: " + b"a" * 1500
            sent, gone, deadline = 0, False, time.time() + PATIENCE
            while not gone and time.time() < deadline:
                try:
                    one.sendall(head[sent:sent + 1])
                    sent += 1
                    one.settimeout(0.2)
                    gone = not one.recv(65536)
                except socket.timeout:
                    continue
                except (ConnectionError, ssl.SSLError):
                    gone = True
            say(ended=gone)

        def header(octets):
            one = wrapped()
            shakes(one, PATIENCE)
            one.sendall(POST.encode() + b"X-Large: " + b"a" * int(octets) + b"\r\n\r\n")
            say(status=answer(one))

        def body(octets, form, certificate, key):
            one = wrapped(credential=(certificate, key))
            shakes(one, PATIENCE)
            octets = b"!" * int(octets)
            if form == "chunked":
                one.sendall((POST + "Transfer-Encoding: chunked\r\n\r\n").encode())
                octets = f"{len(octets):x}\r\n".encode() + octets + b"\r\n0\r\n\r\n"
            else:
                one.sendall((POST + f"Content-Length: {len(octets)}\r\n\r\n").encode())
            try:
                one.sendall(octets)
            except (ConnectionError, ssl.SSLError):
                pass
            say(status=answer(one))

        def late_body():
            one = wrapped()
            shakes(one, PATIENCE)
            one.sendall((POST + "Content-Length: 1000\r\n\r\nMIIB").encode())
            say(status=answer(one), ended=ended(one))

        # The public front, which has no TLS.

        OCSP = "POST /ocsp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/ocsp-request\r\n"

        def asks_publicly(connection):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return answer(connection)

        def public_connections(most):
            """As many as are served, from an address each; the next waits until one of them has ended."""
            open_ones, waiting = [], None
            while waiting is None and len(open_ones) < 2 * int(most):
                one = plain(f"127.0.7.{1 + len(open_ones)}")
                one.settimeout(3)
                try:
                    if asks_publicly(one) == 200:
                        open_ones.append(one)
                except socket.timeout:
                    waiting = one
            served = len(open_ones)
            status = 0
            if waiting:
                open_ones.pop(0).close()
                waiting.settimeout(PATIENCE)
                status = answer(waiting)
            say(served=served, status=status)

        def public_per_address(most):
            """As many as one address may have, one more, and one from elsewhere."""
            own = [plain("127.0.8.1") for _ in range(int(most))]
            served = sum(asks_publicly(one) == 200 for one in own)
            closed = ended(plain("127.0.8.1"))
            status = asks_publicly(plain("127.0.8.2"))
            own.pop().close()
            again = 0
            deadline = time.time() + PATIENCE
            while again != 200 and time.time() < deadline:
                one = plain("127.0.8.1")
                try:
                    again = asks_publicly(one)
                except ConnectionError:
                    pass
                one.close()
            say(served=served, closed=closed, other=status, again=again)

        def dribbling(connection, text):
            """Whether the server ends a connection to which text goes octet by octet."""
            sent, deadline = 0, time.time() + PATIENCE
            connection.settimeout(0.2)
            while time.time() < deadline:
                try:
                    connection.sendall(text[sent:sent + 1])
                    sent += 1
                    if not connection.recv(65536):
                        return True
                except socket.timeout:
                    continue
                except ConnectionError:
                    return True
            return False

        def public_silent():
            say(ended=ended(plain()))

        def public_idle():
            """After an answer."""
            one = plain()
            say(ended=asks_publicly(one) == 200 and ended(one))

        def public_dribbles():
            say(ended=dribbling(plain(), OCSP.encode() + b"X-Slow: " + b"a" * 1500))

        def public_late_body():
            one = plain()
            one.sendall((OCSP + "Content-Length: 1500\r\n\r\n").encode())
            say(ended=dribbling(one, b"0" * 1500))

        {"connections": connections, "per-address": per_address, "handshakes": handshakes, "stalls": stalls,
         "silent": silent, "dribbles": dribbles, "header": header, "body": body,
         "late-body": late_body, "public-connections": public_connections,
         "public-per-address": public_per_address, "public-silent": public_silent, "public-idle": public_idle,
         "public-dribbles": public_dribbles, "public-late-body": public_late_body}[what](*arguments)
        """#
}
