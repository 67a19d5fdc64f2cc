import Glibc

/// No port was free.
private struct NoPort: Error {}

/// A port for a server that comes and goes during a test.
package enum QuietPort {
    /// A port of 127.0.0.1 that nobody listens on, of those that no outgoing connection is given
    /// (`net.ipv4.ip_local_port_range`): it stays free while the server is away.
    package static func choose() throws -> Int {
        for _ in 0..<50 {
            let port = UInt16.random(in: 15_000..<32_000)
            // Closed in every program that another test starts: a copy there would keep the port.
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let bound = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if bound == 0 { return Int(port) }
        }
        throw NoPort()
    }
}
