package import LocalServers
import Logging

/// A private Mosquitto for one test or suite: TLS, a PKI of its own, the production access rules, a free port.
///
/// It is stopped by `stop()`, or when this process ends, however that ends.
package final class MosquittoBroker: Sendable {
    /// The host that clients connect to.
    package static let host = "127.0.0.1"

    package let server: LocalMosquitto
    package let pki: TestPKI
    package let port: Int
    private let folder: TemporaryDirectory
    private let watchdog: Watchdog

    /// Starts a broker whose anchor is the root of `pki`, or of a fresh one.
    package init(pki: TestPKI? = nil, serverNames: [String] = ["DNS:localhost", "IP:127.0.0.1"]) async throws {
        if let pki { self.pki = pki } else { self.pki = try await TestPKI() }
        let credential = try await self.pki.server(names: serverNames)
        folder = try TemporaryDirectory(prefix: "mmq")
        // A PKI that was lent outlives the broker.
        let own = pki == nil ? [self.pki.directory] : []
        watchdog = try Watchdog(script: Self.cleanUp, arguments: [folder.path] + own)
        server = try await Self.start(folder.path + "/mq", credential: credential, anchors: self.pki.root)
        port = server.port
    }

    private static func start(
        _ folder: String,
        credential: TestPKI.Credential,
        anchors: [UInt8]
    ) async throws -> LocalMosquitto {
        for _ in 1..<attemptsMax {
            let server = try broker(folder, credential: credential, anchors: anchors)
            do {
                try await server.start()
                return server
            } catch {
                // Another program took the port between our asking and the broker's binding.
                try await server.stop()
            }
        }
        let server = try broker(folder, credential: credential, anchors: anchors)
        try await server.start()
        return server
    }

    private static func broker(
        _ folder: String,
        credential: TestPKI.Credential,
        anchors: [UInt8]
    ) throws -> LocalMosquitto {
        var configuration = LocalMosquitto.Configuration(
            port: try FreePort.next(),
            certificateChain: credential.certificate,
            privateKey: credential.key,
            anchors: anchors
        )
        configuration.autosaveSeconds = 1
        return try LocalMosquitto(
            directory: folder,
            configuration: configuration,
            logger: Logger(label: "test.mosquitto") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Starts the broker again after `stop()` or `kill()`, on the same port with what it had saved.
    package func start() async throws { try await server.start() }

    /// Kills the broker as a crash would.
    package func kill() async { await server.kill() }

    /// Stops the broker and waits for its end.
    package func stop() async throws { try await server.stop() }

    /// The mosquitto clients as the owner of that credential.
    package func clients(_ credential: TestPKI.Credential) -> MosquittoClients {
        MosquittoClients(port: port, anchorsFile: pki.rootFile, credential: credential)
    }

    deinit { watchdog.release() }

    private static let attemptsMax = 5

    private static let cleanUp = """
        for try in $(seq 100); do
            pids=$(pgrep -f "mosquitto -d -c $1/mq/mosquitto.conf") || break
            kill $pids; sleep 0.1
        done
        rm -rf "$@"
        """
}
