import TestPeers
import Testing

extension SystemTests {
    /// PostgreSQL goes away and comes back under a running server.
    @Suite struct DatabaseOutageTests {
        @Test(arguments: ["QUIT", "KILL"])
        func `without its database it answers 503 and asks to retry, and goes on once it is back`(
            signal: String
        ) async throws {
            let dev = try MusterDev()
            let document = try await dev.start()
            let peers = LocalPeers(state: dev.state)
            let device = try await SystemDevice(document)
            try await SystemDevice(document).enrolled()

            try await peers.killDatabase(signal)
            // The second finds no connection that was open before.
            for _ in 0..<2 {
                let answer = try await device.enroll()
                #expect(answer.status == 503)
                #expect(answer.headers.contains { $0.hasPrefix("retry-after: ") })
                #expect(!String(decoding: answer.body, as: UTF8.self).contains("MII"), "nothing that was signed leaves")
            }
            #expect(try await Self.status(document, "/readyz") == "503")
            #expect(try await Self.status(document, "/healthz") == "200")

            try await peers.startDatabase()
            try await Eventually.holds("readiness", seconds: 90) { try await Self.status(document, "/readyz") == "200" }
            try await Eventually.holds("the same request's certificate", seconds: 90) {
                try await device.enroll().status == 200
            }
            let recorded = try await RecordProbe(document)
                .query("select encode(der, 'hex') from certificates where device_id = '\(device.id)'")
            #expect(try await recorded == device.certificateHex())
            try await dev.stop()
            #expect(try await dev.processes() == [])
        }

        private static func status(_ document: MusterDev.Document, _ path: String) async throws -> String {
            try await Shell.run("curl -sS -o /dev/null -w '%{http_code}' \"$1\"", document.urls.public + path)
        }
    }
}
