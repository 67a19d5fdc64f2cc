import Foundation
import LocalServers
import TestPeers
import Testing

/// `ops/mosquitto/mosquitto.conf` itself, with its paths and ports moved into a test's folder.
@Suite(.timeLimit(.minutes(10)))
struct ProductionBrokerTests {
    @Test func `production's configuration keeps devices apart, and lets only the server in by the server's door`()
        async throws
    {
        let devices = try await TestPKI(rootName: "Devices")
        let servers = try await TestPKI(rootName: "Servers")
        let broker = try await servers.server()
        let folder = try TemporaryDirectory(prefix: "pmq")
        let (devicePort, serverPort) = try (FreePort.next(), FreePort.next())
        for (name, pki) in [("device-anchors", devices), ("server-anchors", servers)] {
            let path = folder.path + "/" + name
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            try folder.write(name + "/root.pem", pki.root, mode: 0o644)
            #expect(try await Program.run("openssl", ["rehash", path]).succeeded)
        }
        try folder.write("broker.pem", broker.certificate, mode: 0o644)
        try folder.write("broker.key", broker.key, mode: 0o644)
        try folder.write("acl", BrokerAccessRules.text.utf8, mode: 0o644)
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../ops/mosquitto/mosquitto.conf"
        )
        let text = try String(contentsOf: file, encoding: .utf8)
            .replacing("/etc/mosquitto/muster/", with: folder.path + "/")
            .replacing("persistence true", with: "persistence false")
            .replacing("listener 8883", with: "listener \(devicePort) 127.0.0.1")
            .replacing("listener 8884", with: "listener \(serverPort)")
        let configuration = try folder.write("mosquitto.conf", text.utf8, mode: 0o644)

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await Program.run("/usr/sbin/mosquitto", ["-c", configuration]) }
            let server = try await MosquittoClients(
                port: serverPort,
                anchorsFile: servers.rootFile,
                credential: servers.client("muster-server")
            )
            let device = try await MosquittoClients(
                port: devicePort,
                anchorsFile: servers.rootFile,
                credential: devices.client("d1@roof")
            )
            let topic = "muster/v1/fleets/roof/truststore"
            let deadline = ContinuousClock.now + .seconds(60)
            while try await !server.publish(topic, Array("v1".utf8), retain: true).succeeded {
                guard ContinuousClock.now < deadline else { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await device.messages(topic, count: 1) == [Array("v1".utf8)])
            #expect(try await device.publish(topic, [1]).errorOutput.contains("Not authorized"))

            // By the server's door, a device does not come in, nor does one that calls itself the server.
            let intruder = MosquittoClients(
                port: serverPort,
                anchorsFile: servers.rootFile,
                credential: device.credential
            )
            #expect(try await !intruder.publish(topic, [1]).succeeded)
            let pretender = try await MosquittoClients(
                port: serverPort,
                anchorsFile: servers.rootFile,
                credential: devices.client("muster-server")
            )
            #expect(try await !pretender.publish(topic, [1]).succeeded)

            // The identifier that a device asks for is not the one it gets.
            let other = try await MosquittoClients(
                port: devicePort,
                anchorsFile: servers.rootFile,
                credential: devices.client("d2@roof")
            )
            let heard = try await device.messages("muster/v1/devices/d1@roof/#", count: 1, identifier: "d1@roof") {
                #expect(try await other.publish("muster/v1/devices/d2@roof/x", [1], identifier: "d1@roof").succeeded)
                try await server.publish("muster/v1/devices/d1@roof/x", Array("still here".utf8))
            }
            #expect(heard == [Array("still here".utf8)])
            group.cancelAll()
        }
    }
}
