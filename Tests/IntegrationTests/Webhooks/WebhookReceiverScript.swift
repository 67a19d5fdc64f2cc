/// A receiver of webhooks in Python's standard library alone, which verifies signatures by itself.
enum WebhookReceiverScript {
    /// `webhooks.py FOLDER [CERTIFICATE KEY]`: listens on a free port, which it writes to `FOLDER/port`, and knows the secret
    /// of `FOLDER/secret`. Answers each request with the status in `FOLDER/answer`, or first with those of `FOLDER/first`, one a
    /// line; `hang` is no answer at all. Each request is a line of `FOLDER/seen`: `<status> <verdict> <id> <body>`.
    static let text = #"""
        import base64, hashlib, hmac, http.server, os, ssl, sys, threading, time

        folder = sys.argv[1]
        lock = threading.Lock()

        def read(name):
            try:
                with open(os.path.join(folder, name)) as file: return file.read()
            except FileNotFoundError: return ""

        def verdict(headers, body):
            secret = base64.b64decode(read("secret").strip().removeprefix("whsec_"))
            identity, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
            if abs(time.time() - int(timestamp)) > 300: return "old"
            signed = identity.encode() + b"." + timestamp.encode() + b"." + body
            expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
            if headers["content-type"] != "application/json": return "untyped"
            return "signed" if "v1," + expected in headers["webhook-signature"].split(" ") else "forged"

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with lock:
                    first = read("first").split()
                    status = first[0] if first else read("answer").strip() or "204"
                    with open(os.path.join(folder, "first"), "w") as file: file.write("\n".join(first[1:]))
                    with open(os.path.join(folder, "seen"), "a") as file:
                        line = [status, verdict(self.headers, body), self.headers["webhook-id"], body.decode()]
                        file.write(" ".join(line) + "\n")
                if status == "hang": time.sleep(3600)
                self.send_response(int(status))
                if status == "302": self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words): pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if len(sys.argv) > 2:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2], sys.argv[3])
            server.socket = context.wrap_socket(server.socket, server_side=True)
        with open(os.path.join(folder, "port.new"), "w") as file: file.write(str(server.server_port))
        os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
        server.serve_forever()
        """#
}
