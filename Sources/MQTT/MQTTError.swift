/// What keeps an MQTT client from connecting, publishing or subscribing.
package enum MQTTError: Error, Equatable, CustomStringConvertible {
    /// There is no connection now; or it ended before the broker answered, and the message may have come or not.
    case notConnected
    /// No connection could be made; the system's reason.
    case unreachable(String)
    /// The TLS handshake failed, or the certificates or the key cannot be used.
    case tls(String)
    /// The broker refused the connection or ended it, with its reason code (MQTT 5 §2.4).
    case refused(reasonCode: Int)
    /// The broker refused a message with that reason code, 0x80 or more (MQTT 5 §3.4.2.1).
    case publishRefused(reasonCode: Int)
    /// The broker refused a subscription with that reason code, 0x80 or more (MQTT 5 §3.9.3).
    case subscriptionRefused(reasonCode: Int)
    /// No answer in time.
    case timedOut
    /// The message is larger than this client or its broker allows.
    case tooLarge(bytes: Int)
    /// An empty retained message would erase the retained one (MQTT 5 §3.3.1.3); it is never sent.
    case emptyRetained
    /// Not a topic or filter that MQTT knows (MQTT 5 §4.7).
    case badTopic(String)
    /// As many calls as allowed already wait for an answer.
    case busy
    /// The caller's task was cancelled, or the client was closed.
    case cancelled

    package var description: String {
        switch self {
        case .notConnected: "not connected to the MQTT broker"
        case .unreachable(let reason): "the MQTT broker cannot be reached: \(reason)"
        case .tls(let reason): "TLS with the MQTT broker failed: \(reason)"
        case .refused(let code): "the MQTT broker refused the connection, reason \(Self.hex(code))"
        case .publishRefused(let code): "the MQTT broker refused the message, reason \(Self.hex(code))"
        case .subscriptionRefused(let code): "the MQTT broker refused the subscription, reason \(Self.hex(code))"
        case .timedOut: "the MQTT broker did not answer in time"
        case .tooLarge(let bytes): "a message of \(bytes) bytes is larger than allowed"
        case .emptyRetained: "an empty retained message would erase the retained one"
        case .badTopic(let topic): "'\(topic.prefix(200))' is not a topic that MQTT knows"
        case .busy: "too many MQTT calls wait for an answer"
        case .cancelled: "the MQTT call was cancelled"
        }
    }

    private static func hex(_ code: Int) -> String { "0x" + String(code, radix: 16, uppercase: true) }
}
