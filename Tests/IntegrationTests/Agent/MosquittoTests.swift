import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests {
    /// The agent beside Mosquitto, configured by `ops/mosquitto`.
    @Suite struct MosquittoTests {
        /// A device that stays connected and says so, with all that its client tells.
        struct Listener {
            let device: SystemDevice
            let program: BackgroundProgram

            init(_ device: SystemDevice) async throws {
                self.device = device
                let document = device.document
                program = try await BackgroundProgram([
                    "stdbuf", "-oL", "mosquitto_sub", "-V", "5", "-h", document.mqtt.host, "-p",
                    "\(document.mqtt.port)", "--cafile", document.files.root, "--cert", device.chainFile, "--key",
                    device.keyFile, "-t", "muster/v1/devices/\(device.username)/#", "-q", "1", "-d", "-F", "heard %p",
                ])
                try await Eventually.holds("the subscription") { program.log.contains("Subscribed (mid:") }
            }

            var connects: Int { program.log.components(separatedBy: "sending CONNECT").count - 1 }
            var isEnded: Bool { program.log.contains("Received DISCONNECT") }
        }

        /// Puts the production configuration in the place of the development broker's own, and starts the broker anew.
        static func adopt(_ bed: AgentBed, state: String, agent: SystemDevice) async throws {
            let folder = state + "/mosquitto"
            try bed.adapt(
                "mosquitto/mosquitto.conf",
                as: "mosquitto.conf",
                [
                    "\ncapath /etc/mosquitto/muster/device-anchors": "",
                    "/etc/mosquitto/muster/server-anchors": folder + "/anchors",
                    "/etc/mosquitto/muster/broker.pem": folder + "/server.pem",
                    "/etc/mosquitto/muster/broker.key": folder + "/server.key",
                    "/etc/mosquitto/muster/acl": folder + "/acl",
                    "persistence_location /var/lib/mosquitto/": "persistence_location \(folder)/data/",
                    "# capath /var/lib/muster-agent": "capath \(bed.output)",
                    "# crlfile /var/lib/muster-agent": "crlfile \(bed.output)",
                    "# plugin /": "plugin /",
                    "# plugin_opt_config_file /var/lib/mosquitto":
                        "plugin_opt_config_file \(folder)/data",
                    "# pid_file /run/mosquitto": "log_dest file \(folder)/mosquitto.log\npid_file \(folder)",
                    "listener 8883": "listener \(bed.document.mqtt.port) 127.0.0.1",
                    "listener 8884": "listener \(try QuietPort.choose())",
                ]
            )
            try bed.adapt(
                "mosquitto/acl",
                as: "acl",
                ["# user gateway-1@demo": "user \(agent.username)", "# topic write $CONTROL": "topic write $CONTROL"]
            )
            try bed.adapt("mosquitto/dynamic-security.json", as: "dynamic-security.json", [:])
            let peers = LocalPeers(state: state)
            try await peers.killBroker()
            try await Shell.run(
                """
                cat "$1/mosquitto.conf" > "$2/mosquitto.conf"; cat "$1/acl" > "$2/acl"
                cp "$1/dynamic-security.json" "$2/data/"; chown --reference="$2/data" "$2/data/dynamic-security.json"
                """,
                bed.folder.path,
                folder
            )
            try await peers.startBroker()
        }

        @Test
        func `a revoked device's session ends, it does not come back, and the other devices' sessions go on`()
            async throws
        {
            let dev = try MusterDev()
            let document = try await dev.start()
            let bed = try await AgentBed(document)
            let gateway = try await SystemDevice(document).enrolled()
            // So seldom that whatever comes comes by the broker.
            try bed.configure(
                """
                broker:
                  host: \(document.mqtt.host)
                  port: \(document.mqtt.port)
                  caFile: \(document.files.root)
                  certificateFile: \(gateway.chainFile)
                  keyFile: \(gateway.keyFile)
                reload:
                  pidFile: \(dev.state)/mosquitto/mosquitto.pid
                mosquitto:
                  endSessions: true
                """,
                pollSeconds: 3600
            )
            try await bed.prepare()
            try await Self.adopt(bed, state: dev.state, agent: gateway)
            let agent = try await bed.startAgent()
            let lost = try await Listener(SystemDevice(document).enrolled())
            let held = try await Listener(SystemDevice(document).enrolled())
            let kept = try await Listener(SystemDevice(document).enrolled())
            try await Eventually.holds("the agent's acknowledgement; its log: \(agent.log.suffix(3_000))") {
                try await RecordProbe(document).query(
                    "select trust_store_version from devices where device_id = '\(gateway.id)'"
                ) == "1"
            }

            // Several within a second: whose session has ended is refused from then on, not a moment later.
            for _ in 0..<4 {
                let one = try await Listener(SystemDevice(document).enrolled())
                try await bed.revoke(one.device, "--reason", "keyCompromise")
                try await Eventually.holds("the session's end") { one.isEnded }
                #expect(try await Self.isRefused(one.device))
            }
            // The command that waits comes back when the agent has ended the session.
            let told = try await bed.revoke(lost.device, "--reason", "keyCompromise", "--wait")
            for stage in ["published", "agents \(gateway.id)", "sessions \(gateway.id)"] {
                #expect(told.contains("  \(stage)\n"), "\(told)")
            }
            try await Eventually.holds("the session's end") { lost.isEnded }
            let agents = try await bed.muster(["fleet", "agents", document.fleet])
            #expect(agents.contains(gateway.id) && agents.contains("yes"), "\(agents)")
            #expect(try await Self.isRefused(lost.device))
            try await bed.revoke(held.device, "--hold")
            try await Eventually.holds("the held session's end") { held.isEnded }
            #expect(try await Self.isRefused(held.device))

            try await bed.release(held.device)
            try await Eventually.holds("the released device's return") { try await !Self.isRefused(held.device) }
            #expect(try await Self.isRefused(lost.device))

            // The broker holds no list of devices, and told the others nothing.
            #expect(kept.connects == 1 && !kept.isEnded)
            let topic = "muster/v1/devices/\(kept.device.username)/x"
            try await BrokerProbe(serverOf: document).publish(topic, Array("hello".utf8))
            try await Eventually.holds("the message") { kept.program.log.contains("heard hello") }
            let listed = try await Shell.run(
                "jq -c .clients \"$1\"",
                dev.state + "/mosquitto/data/dynamic-security.json"
            )
            #expect(listed == "[]")
            #expect(try bed.status().faults.isEmpty)

            // What happened while it was away comes to it when it is back.
            agent.signal(SIGTERM)
            #expect(try await agent.end(withinSeconds: 30) == 0, "\(agent.log.suffix(3_000))")
            let late = try await Listener(SystemDevice(document).enrolled())
            // Whoever waits is told what lacks it.
            let tired = try await Program.run(
                MusterDev.executable("muster"),
                [
                    "revoke", late.device.id, "--fleet", document.fleet, "--wait", "--wait-seconds", "2", "--dev",
                    dev.state + "/dev.json",
                ]
            )
            #expect(tired.exitStatus == 69 && tired.text.contains("\(late.device.id) is revoked"))
            #expect(tired.errorOutput.contains("sessions \(gateway.id) lacks it"), "\(tired.errorOutput)")
            let again = try await bed.startAgent()
            try await Eventually.holds("the late session's end") { late.isEnded }
            #expect(try await Self.isRefused(late.device))
            again.signal(SIGTERM)
            #expect(try await again.end(withinSeconds: 30) == 0, "\(again.log.suffix(3_000))")
            try await dev.stop()
        }

        /// True if the broker does not take the device's certificate.
        static func isRefused(_ device: SystemDevice) async throws -> Bool {
            let result = try await BrokerProbe(device).publish("muster/v1/devices/\(device.username)/x", [0x31])
            return !result.succeeded
        }
    }
}
