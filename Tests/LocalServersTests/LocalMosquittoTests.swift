import Foundation
import LocalServers
import Logging
import TestPeers
import Testing

/// Cites what was found on Mosquitto 2.0.11 as F7: new anchors by `capath` at once, never by `cafile`.
@Suite(.timeLimit(.minutes(10)))
struct LocalMosquittoTests {
    private static let fleetTopic = "muster/v1/fleets/roof/truststore"

    @Test func `a retained message survives a restart, and stop leaves no process`() async throws {
        let broker = try await MosquittoBroker()
        let server = try await broker.clients(broker.pki.client("muster-server"))
        let device = try await broker.clients(broker.pki.client("d1@roof"))
        let sent = try await server.publish(Self.fleetTopic, Array("v1".utf8), retain: true)
        #expect(sent.succeeded, "\(sent.errorOutput)")
        let id = try #require(await broker.server.processID)
        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        #expect(geteuid() != 0 || !status.contains("Uid:\t0\t"), "it runs as an unprivileged user")
        try await broker.stop()
        #expect(await !broker.server.isRunning)
        #expect(try await Program.run("pgrep", ["-f", broker.server.directory + "/mosquitto.conf"]).text == "")
        try await broker.server.start()
        #expect(try await device.messages(Self.fleetTopic, count: 1) == [Array("v1".utf8)])
        try await broker.stop()
    }

    @Test func `a device uses its own branch, and neither publishes for a fleet nor reads another device's`()
        async throws
    {
        let broker = try await MosquittoBroker()
        let server = try await broker.clients(broker.pki.client("muster-server"))
        let one = try await broker.clients(broker.pki.client("d1@roof"))
        let two = try await broker.clients(broker.pki.client("d2@roof"))
        // MQTT 5: 0x87 (135), not authorized, in the PUBACK.
        let forged = try await one.publish(Self.fleetTopic, Array("forged".utf8), retain: true)
        #expect(forged.errorOutput.contains("Not authorized"), "\(forged.errorOutput) \(forged.text)")
        let revocations = try await one.publish("muster/v1/fleets/roof/revocations", [1])
        #expect(revocations.errorOutput.contains("Not authorized"))
        let foreign = try await two.publish("muster/v1/devices/d1@roof/truststore/ack", [1])
        #expect(foreign.errorOutput.contains("Not authorized"))

        let ack = "muster/v1/devices/d1@roof/truststore/ack"
        let heard = try await server.messages("$share/s/muster/v1/devices/+/truststore/ack", count: 1) {
            let sent = try await one.publish(ack, Array("ok".utf8))
            #expect(!sent.errorOutput.contains("Not authorized"))
        }
        #expect(heard == [Array("ok".utf8)])

        // The filter is everything; what comes is only what may be read, though the others were said before it.
        let overheard = try await two.messages("#", count: 1) {
            try await one.publish(ack, Array("private".utf8))
            try await server.publish("muster/v1/devices/d1@roof/x", Array("private".utf8))
            try await server.publish(Self.fleetTopic, Array("public".utf8))
        }
        #expect(overheard == [Array("public".utf8)])
        try await broker.stop()
    }

    @Test func `a client without a certificate, or with one of a stranger's CA, is not let in`() async throws {
        let broker = try await MosquittoBroker()
        let stranger = try await TestPKI(rootName: "Stranger")
        let client = try await broker.clients(stranger.client("muster-server"))
        let refused = try await client.publish(Self.fleetTopic, [1])
        #expect(!refused.succeeded)
        let bare = try await Program.run(
            "mosquitto_pub",
            ["-h", MosquittoBroker.host, "-p", "\(broker.port)", "--cafile", broker.pki.rootFile, "-t", "t", "-m", "m"]
        )
        #expect(!bare.succeeded)
        try await broker.stop()
    }

    @Test func `a new CA in the hashed folder is trusted at once, without restart or signal (F7)`() async throws {
        let broker = try await MosquittoBroker()
        let second = try await TestPKI(rootName: "Second Root")
        let client = try await broker.clients(second.client("muster-server"))
        #expect(try await !client.publish(Self.fleetTopic, [1]).succeeded)
        let id = await broker.server.processID
        try await broker.server.trust(second.root)
        let sent = try await client.publish(Self.fleetTopic, [1])
        #expect(sent.succeeded, "\(sent.errorOutput)")
        #expect(await broker.server.processID == id)
        try await broker.stop()
    }

    @Test func `a reload serves a new certificate, and keeps the process`() async throws {
        let broker = try await MosquittoBroker()
        let id = await broker.server.processID
        let credential = try await broker.pki.server(names: ["DNS:localhost", "IP:127.0.0.1", "DNS:renewed.example"])
        try await broker.server.reload(certificateChain: credential.certificate, privateKey: credential.key)
        let device = try await broker.pki.client("d1@roof")
        let deadline = ContinuousClock.now + .seconds(60)
        var seen = ""
        while !seen.contains("renewed.example"), ContinuousClock.now < deadline {
            let shown = try await Program.run(
                "sh",
                [
                    "-c",
                    "openssl s_client -connect 127.0.0.1:\(broker.port) -cert \"$1\" -key \"$2\" </dev/null "
                        + "2>/dev/null | openssl x509 -noout -ext subjectAltName", "sh",
                    device.certificateFile, device.keyFile,
                ]
            )
            seen = shown.text
        }
        #expect(seen.contains("renewed.example"))
        #expect(await broker.server.processID == id)
        try await broker.stop()
    }

    @Test func `an orphan of a killed starter is stopped by the next start, and a recycled pid is left alone`()
        async throws
    {
        let pki = try await TestPKI()
        let folder = try TemporaryDirectory(prefix: "lmq")
        let credential = try await pki.server()
        try folder.write("broker.pem", credential.certificate)
        try folder.write("broker.key", credential.key)
        try folder.write("root.pem", pki.root)
        let port = try FreePort.next()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String, port = port as Int] in
            try await Self.server(path, port: port).start()
            kill(getpid(), SIGKILL)
        }
        let server = try Self.server(folder.path, port: port)
        let old = try #require(await server.processID)
        try await server.start()
        #expect(await server.processID != old)
        #expect(try await Program.run("pgrep", ["-cf", "\(folder.path)/mq/mosquitto.conf"]).text == "1\n")
        try await server.stop()

        try "\(getpid())".write(toFile: folder.path + "/mq/mosquitto.pid", atomically: true, encoding: .utf8)
        #expect(await !server.isRunning)
        try await server.start()
        try await server.stop()
        #expect(try await Program.run("pgrep", ["-f", folder.path]).text == "")
    }

    @Test func `a port that is taken is told with the broker's own words`() async throws {
        let pki = try await TestPKI()
        let folder = try TemporaryDirectory(prefix: "lmq")
        let credential = try await pki.server()
        try folder.write("broker.pem", credential.certificate)
        try folder.write("broker.key", credential.key)
        try folder.write("root.pem", pki.root)
        // Nobody listens there, so that what answers can only be the broker itself.
        let held = try BoundSocket()
        let server = try Self.server(folder.path, port: held.port)
        let error = await #expect(throws: LocalServerError.self) { try await server.start() }
        #expect(error?.description.contains("Address already in use") == true, "\(String(describing: error))")
        withExtendedLifetime(held) {}
    }

    private static func server(_ folder: String, port: Int) throws -> LocalMosquitto {
        func read(_ name: String) throws -> [UInt8] {
            try Array(Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
        }
        return try LocalMosquitto(
            directory: folder + "/mq",
            configuration: LocalMosquitto.Configuration(
                port: port,
                certificateChain: read("broker.pem"),
                privateKey: read("broker.key"),
                anchors: read("root.pem")
            ),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}
