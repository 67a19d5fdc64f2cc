/// The bounds of a front. Each time one is reached, the front tells of it by this name.
package enum FrontLimit: String, CaseIterable, Hashable, Sendable {
    /// No more connections are taken from the listener until one ends.
    case connections
    /// A connection was closed at once: its address has as many as one may.
    case connectionsPerAddress = "connections-per-address"
    /// No more connections are taken until a handshake ends; those that stalled are closed first.
    case handshakes
    /// A connection was closed: its handshake took too long.
    case handshakeTime = "handshake-time"
    /// A connection was closed: it asked for nothing, or did not bring a request's head to its end.
    case idleTime = "idle-time"
    /// A request's head was too large: 431.
    case header
    /// A request's body was too large: 413.
    case body
    /// A request's body came too slowly: 408.
    case bodyTime = "body-time"
    /// A handshake was refused: the client's chain had too many certificates, or too large ones.
    case chain
    /// Too many requests were on their way: 503 before anything was computed.
    case requests
}

/// How a TLS handshake ended.
package enum HandshakeResult: String, CaseIterable, Hashable, Sendable {
    case completed, failed, timeout
}

/// Is told what happens on a front's connections, on their event loops, and so must not wait.
package protocol FrontObserver: Sendable {
    func ended(_ result: HandshakeResult)
    func reached(_ limit: FrontLimit)
}

/// Looks at nothing.
package struct NoFrontObserver: FrontObserver {
    package init() {}
    package func ended(_ result: HandshakeResult) {}
    package func reached(_ limit: FrontLimit) {}
}
