/// Delivery guarantee (MQTT 5 §4.3). Exactly-once is left out: every message of ours may come twice.
package enum QoS: Int32, Sendable {
    case atMostOnce = 0
    case atLeastOnce = 1
}

/// A message that came by a subscription.
package struct MQTTMessage: Sendable, Equatable {
    /// The topic that it was published to.
    package let topic: String
    /// Its content, from a stranger until it is verified.
    package let payload: [UInt8]
    /// True if the broker had kept it from before the subscription (MQTT 5 §3.3.1.3).
    package let isRetained: Bool

    package init(topic: String, payload: [UInt8], isRetained: Bool) {
        self.topic = topic
        self.payload = payload
        self.isRetained = isRetained
    }
}

/// What befalls a client's connection.
package enum MQTTEvent: Sendable, Equatable {
    /// The broker took the connection; `sessionPresent` if it kept an earlier session (MQTT 5 §3.2.2.1.1).
    case connected(sessionPresent: Bool)
    /// The connection, or an attempt to make one, has ended.
    case disconnected(MQTTError)
    /// Another client took this client's identifier (MQTT 5 §3.14.2.1, 0x8E): find out which one, and give each its
    /// own. The client waits long before it comes back.
    case sessionTakenOver
    /// So many connections in a row were accepted and soon lost. Another client may use the same identifier:
    /// Mosquitto 2.0.11 does not say so by 0x8E. The client waits long before it comes back.
    case oftenLost(count: Int)
    /// The broker refused a subscription that it was asked for again after a reconnect.
    case subscriptionRefused(filter: String, MQTTError)
}
