/// How a client comes to its broker.
package struct MQTTConfiguration: Sendable {
    /// Host name or IP address; the broker's certificate has to bear it.
    package var host: String
    /// TCP port.
    package var port: Int
    /// The MQTT client identifier; no other client of the broker may use it at the same time.
    package var clientID: String
    /// Certificates and key.
    package var tls: TLSMaterial
    /// A ping goes out after so much silence, in seconds.
    package var keepAliveSeconds = 60
    /// True to forget an earlier session of this client (MQTT 5 §3.1.2.4).
    package var cleanStart = true
    /// How long the broker keeps the session after a disconnect, in seconds (MQTT 5 §3.1.2.11.2); 0 is not at all.
    package var sessionExpirySeconds: UInt32 = 0
    /// The longest wait for connection, handshake and CONNACK together.
    package var connectTimeout = Duration.seconds(10)
    /// The longest wait for a PUBACK or SUBACK.
    package var answerTimeout = Duration.seconds(30)
    /// The largest packet in either direction, in bytes (MQTT 5 §3.1.2.11.4).
    package var packetBytesMax: UInt32 = 1 << 20
    /// Calls that wait for the broker's answer at once; more are refused as `.busy`.
    package var callsMax = 1_000
    /// Messages that wait for their reader; beyond that the oldest is dropped, and counted.
    package var messagesMax = 1_024
    /// The pauses between attempts to connect: the first, and the longest. Each is drawn between half and whole.
    package var pauseMin = Duration.milliseconds(200)
    package var pauseMax = Duration.seconds(30)
    /// The thread that drives the connection, for programs with many clients; nil for one of its own.
    package var thread: MQTTThread?

    package init(host: String, port: Int, clientID: String, tls: TLSMaterial) {
        self.host = host
        self.port = port
        self.clientID = clientID
        self.tls = tls
    }
}

/// Certificates and key of an MQTT client, PEM in memory; nothing of it is read from or written to disk.
package struct TLSMaterial: Sendable, CustomStringConvertible {
    /// The CA certificates that the broker's chain must end in.
    let anchors: [UInt8]
    /// The client's certificate, then the intermediates.
    let certificateChain: [UInt8]
    /// The client's private key, not encrypted.
    let privateKey: [UInt8]

    /// Takes PEM text as bytes; it is parsed at each connect.
    package init(anchors: [UInt8], certificateChain: [UInt8], privateKey: [UInt8]) {
        self.anchors = anchors
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }

    /// Says nothing of the key.
    package var description: String { "TLSMaterial" }
}
