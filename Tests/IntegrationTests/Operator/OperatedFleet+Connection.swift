import Foundation
import TestPeers

extension OperatedFleet {
    /// Posts a request twice on one connection that Python keeps open, and lets `between` happen in between.
    /// - Parameters:
    ///   - request: NAME of NAME.b64.
    ///   - credential: NAME of NAME.pem and NAME.key.
    /// - Returns: Both statuses, a line each, a refusal's with its reason.
    func postTwice(
        _ request: String,
        to operation: String,
        as credential: String,
        between: () async throws -> Void
    ) async throws -> String {
        try bench.write("twice.py", Self.twice.utf8)
        try await bench.sh("mkfifo go")
        async let answers = bench.sh(
            "python3 twice.py \"$AUTHORITY\" \"$1\" \"$ROOT\" \"$2.pem\" \"$2.key\" \"$3.b64\" go",
            "/.well-known/est/\(name)/\(operation)",
            credential,
            request
        )
        try await Eventually.holds("the first answer") {
            FileManager.default.fileExists(atPath: bench.path("first"))
        }
        try await between()
        try await bench.sh("echo > go")
        return try await answers
    }

    private static let twice = """
        import http.client, ssl, sys
        authority, path, root, cert, key, body, fifo = sys.argv[1:]
        context = ssl.create_default_context(cafile=root)
        context.load_cert_chain(cert, key)
        connection = http.client.HTTPSConnection(authority, context=context, timeout=60)
        def post():
            connection.request("POST", path, open(body, "rb").read(), {"Content-Type": "application/pkcs10"})
            answer = connection.getresponse()
            text = answer.read().decode()
            return str(answer.status) + ("" if answer.status == 200 else " " + text.split(":")[0])
        print(post())
        socket = connection.sock
        open("first", "w").close()
        open(fifo).readline()
        print(post())
        assert connection.sock is socket, "the connection was not kept"
        """
}
