import TestPeers

/// Listens on a port of 127.0.0.1, and never says a word.
final class MuteListener: Sendable {
    private let socket: BoundSocket

    init() throws {
        socket = try BoundSocket()
        try socket.listen()
    }

    var port: Int { socket.port }

    /// Leaves the port to somebody else.
    func stop() { socket.stop() }
}
