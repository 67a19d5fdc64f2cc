import Foundation
import Glibc
package import Logging

/// A private Mosquitto under a folder: mutual TLS, the certificate's common name as username, access rules for each
/// device, and retained messages that survive a restart.
///
/// It runs as an unprivileged user (`mosquitto`, else `nobody`) when root starts it, in a session of its own. A broker
/// that was left by a starter that died is found by its pid file and stopped at the next start, after its command line
/// has shown that it is this one. One process at a time may use a folder.
package actor LocalMosquitto {
    /// What the broker is and whom it trusts. Certificates and key are PEM; the broker's own copies live in its folder.
    package struct Configuration: Sendable, CustomStringConvertible {
        /// TCP port.
        package var port: Int
        /// The IPv4 address that it listens on.
        package var address = "127.0.0.1"
        /// The broker's certificate, then the intermediates, PEM.
        package var certificateChain: [UInt8]
        /// The broker's private key, PEM.
        package var privateKey: [UInt8]
        /// The CA certificates that clients' chains must end in, PEM, any number in one text.
        package var anchors: [UInt8]
        /// The text of the access rules.
        package var accessRules = BrokerAccessRules.text
        /// Connections at once.
        package var connectionsMax = 20_000
        /// How often retained messages and sessions are saved, in seconds; a crash loses at most that much.
        package var autosaveSeconds = 5

        /// Nil if revoked clients are taken all the same.
        package var revocation: Revocation?

        package init(port: Int, certificateChain: [UInt8], privateKey: [UInt8], anchors: [UInt8]) {
            self.port = port
            self.certificateChain = certificateChain
            self.privateKey = privateKey
            self.anchors = anchors
        }

        /// Says nothing of the key.
        package var description: String { "a broker on \(address):\(port)" }
    }

    /// What the broker needs to refuse revoked clients, and to have their sessions ended.
    package struct Revocation: Sendable {
        /// The CRLs that change, PEM; who keeps the file sends SIGHUP. It must be there, and open to the broker's user.
        package var listFile: String
        /// The CRLs of the anchors that issue to clients themselves, PEM: a client without a list of its CA is refused.
        package var anchorLists: [UInt8]
        /// The path of the dynamic security plugin.
        package var plugin: String

        package init(listFile: String, anchorLists: [UInt8], plugin: String) {
            self.listFile = listFile
            self.anchorLists = anchorLists
            self.plugin = plugin
        }
    }

    /// The broker's own folder.
    package nonisolated let directory: String
    /// The port that it listens on.
    package nonisolated let port: Int

    private var configuration: Configuration
    private let logger: Logger
    private let user: ServerUser
    private var folder: ServerFolder?
    private var isBusy = false

    /// Nothing is made or started yet.
    /// - Parameter directory: An absolute path without blanks. Made by `start()` if it is missing; the folders above
    ///   it must be open (`x`) to the broker's user.
    package init(directory: String, configuration: Configuration, logger: Logger) throws(LocalServerError) {
        guard directory.hasPrefix("/"), !directory.contains(where: { $0.isWhitespace || $0 == "\0" }) else {
            throw .unusable(what: "the folder '\(directory)'", why: "give an absolute path without blanks")
        }
        guard (1...65_535).contains(configuration.port) else {
            throw .unusable(what: "port \(configuration.port)", why: "ports are 1 to 65535")
        }
        self.directory = URL(fileURLWithPath: directory).standardizedFileURL.path
        port = configuration.port
        user = try ServerUser.choose(preferring: ["mosquitto"])
        self.configuration = configuration
        self.logger = logger
    }

    /// True while the broker runs, whoever started it.
    package var isRunning: Bool { broker() != nil }

    /// The id of the broker's process; nil if it does not run.
    package var processID: Int32? { broker()?.id }

    /// Starts the broker and returns when it takes connections.
    package func start() async throws(LocalServerError) {
        try beginChange()
        defer { isBusy = false }
        let folder = try await ownFolder()
        guard await end() else {
            throw .timedOut(action: "stop the old Mosquitto in \(directory)", detail: "it lives on")
        }
        // Whatever answers there now would be taken for the broker, which is about to find its port taken.
        guard !FreePort.answers(port) else {
            throw .failed(
                action: "start Mosquitto in \(directory)",
                detail: "port \(port) answers already: Address already in use"
            )
        }
        // The broker's user cannot overwrite a file that somebody else left.
        try? FileManager.default.removeItem(atPath: directory + "/mosquitto.pid")
        try ServerFolder.make(directory + "/data", mode: 0o700, owner: user)
        try folder.prepareLog("mosquitto.log")
        try writeCredentials(to: folder)
        try folder.write("acl", configuration.accessRules.utf8)
        try folder.write(
            "mosquitto.conf",
            MosquittoSettings(folder: directory, configuration: configuration).text.utf8
        )
        try? FileManager.default.removeItem(atPath: directory + "/anchors")
        try ServerFolder.make(directory + "/anchors", mode: 0o700, owner: user)
        try await addAnchors(configuration.anchors + (configuration.revocation?.anchorLists ?? []), to: folder)
        if configuration.revocation != nil {
            try folder.write("data/\(DynamicSecurity.file)", DynamicSecurity.text.utf8)
        }

        let outcome = try await ServerProgram.run(Self.program(), ["-d", "-c", configurationPath], as: user)
        // The starter returns before the broker listens: wait until it does, or has ended.
        _ = await Patience.wait(Self.startPatience) {
            (self.broker() != nil && FreePort.answers(self.port)) || self.allBrokers().isEmpty
        }
        guard outcome.succeeded, broker() != nil else {
            _ = await end()
            throw .failed(
                action: "start Mosquitto in \(directory) on port \(port)",
                detail: outcome.succeeded ? folder.logTail("mosquitto.log") : outcome.detail
            )
        }
        logger.info("Mosquitto runs", metadata: ["directory": "\(directory)", "port": "\(port)"])
    }

    /// Ends the broker, which saves what it holds. Does nothing if it does not run. Every wait is bounded.
    package func stop() async throws(LocalServerError) {
        try beginChange()
        defer { isBusy = false }
        guard await end() else { throw .timedOut(action: "stop Mosquitto in \(directory)", detail: "it lives on") }
        folder = nil
    }

    /// Kills the broker as a crash would, for tests.
    package func kill() async { _ = await broker()?.end(with: [(SIGKILL, .seconds(10))]) }

    /// Has the broker read its certificate, key and access rules again (SIGHUP), with new ones if given. Live
    /// sessions stay. CA certificates are not read again: add new ones by `trust(_:)`.
    package func reload(
        certificateChain: [UInt8]? = nil,
        privateKey: [UInt8]? = nil,
        accessRules: String? = nil
    ) async throws(LocalServerError) {
        guard let folder, let process = broker() else {
            throw .failed(action: "reload Mosquitto", detail: "it does not run; start it")
        }
        if let certificateChain { configuration.certificateChain = certificateChain }
        if let privateKey { configuration.privateKey = privateKey }
        if let accessRules { configuration.accessRules = accessRules }
        try writeCredentials(to: folder)
        try folder.write("acl", configuration.accessRules.utf8)
        process.send(SIGHUP)
    }

    /// Trusts further CA certificates (PEM) from the next handshake on, without a restart and without a signal: the
    /// broker looks new ones up in its hashed folder. Trust in one ends only with a restart.
    package func trust(_ anchors: [UInt8]) async throws(LocalServerError) {
        configuration.anchors += Array("\n".utf8) + anchors
        if let folder { try await addAnchors(anchors, to: folder) }
    }

    // MARK: Steps

    private func beginChange() throws(LocalServerError) {
        // An actor's calls interleave at each await; two starts at once would race for the same folder.
        guard !isBusy else { throw .failed(action: "change Mosquitto", detail: "it is starting or stopping already") }
        isBusy = true
    }

    private func ownFolder() async throws(LocalServerError) -> ServerFolder {
        if let folder { return folder }
        let folder = try await ServerFolder(directory, for: user)
        self.folder = folder
        return folder
    }

    private func writeCredentials(to folder: ServerFolder) throws(LocalServerError) {
        try folder.write("server.key", configuration.privateKey)
        try folder.write("server.pem", configuration.certificateChain)
    }

    /// One file a certificate or CRL, then links by the hash of its CA's name, which is how OpenSSL finds both.
    private func addAnchors(_ pem: [UInt8], to folder: ServerFolder) async throws(LocalServerError) {
        let marker = "-----BEGIN "
        let blocks = String(decoding: pem, as: UTF8.self).components(separatedBy: marker).dropFirst()
        guard !blocks.isEmpty else { throw .unusable(what: "the CA certificates", why: "there is no PEM in them") }
        let count = (try? FileManager.default.contentsOfDirectory(atPath: directory + "/anchors"))?.count ?? 0
        for (index, block) in blocks.enumerated() {
            try folder.write("anchors/anchor-\(count + index).pem", (marker + block).utf8)
        }
        let outcome = try await ServerProgram.run("openssl", ["rehash", directory + "/anchors"], as: user)
        guard outcome.succeeded else { throw .failed(action: "hash the CA certificates", detail: outcome.detail) }
    }

    private var configurationPath: String { directory + "/mosquitto.conf" }

    /// The broker's process, by its pid file; nil if the process of that id is not this broker.
    private func broker() -> ServerProcess? {
        guard let text = try? String(contentsOfFile: directory + "/mosquitto.pid", encoding: .utf8),
            let id = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)),
            let process = ServerProcess(id: id), process.runs("mosquitto"),
            process.arguments.contains(configurationPath)
        else { return nil }
        return process
    }

    private func end() async -> Bool {
        for process in allBrokers() {
            guard await process.end(with: [(SIGTERM, .seconds(10)), (SIGKILL, .seconds(5))]) else { return false }
        }
        return true
    }

    /// Every process of this configuration, with or without a pid file: one that starts has none yet.
    private func allBrokers() -> [ServerProcess] {
        ServerProcess.all(running: "mosquitto").filter { $0.arguments.contains(configurationPath) }
    }

    /// Debian has it in /usr/sbin, which is not on every user's PATH.
    private static func program() throws(LocalServerError) -> String {
        let folders = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"]
        for path in folders.map({ $0 + "/mosquitto" }) where FileManager.default.isExecutableFile(atPath: path) {
            return path
        }
        throw .programMissing(name: "Mosquitto", package: "mosquitto")
    }

    private static let startPatience = Duration.seconds(15)
}
