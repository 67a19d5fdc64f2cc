/// No port was free.
private struct NoPort: Error {}

/// A port for a server that comes and goes during a test.
package enum QuietPort {
    /// A port of 127.0.0.1 that nobody listens on, of those that no outgoing connection is given
    /// (`net.ipv4.ip_local_port_range`): it stays free while the server is away.
    package static func choose() throws -> Int {
        for _ in 0..<50 {
            if let bound = try? BoundSocket(port: .random(in: 15_000..<32_000)) { return bound.port }
        }
        throw NoPort()
    }

    /// The first of so many of them in a row.
    package static func choose(inARow count: Int) throws -> Int {
        for _ in 0..<50 {
            let first = Int.random(in: 15_000..<(32_000 - count))
            // All are held until all are found.
            let bound = (first..<(first + count)).compactMap { try? BoundSocket(port: $0) }
            if bound.count == count { return first }
        }
        throw NoPort()
    }
}
