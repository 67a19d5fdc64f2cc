import Glibc

/// TCP ports that are free on 127.0.0.1.
package enum FreePort {
    /// A port that nothing on 127.0.0.1 listens on now. The kernel chose it; another program may take it before
    /// the caller does, so a server that finds it taken is started again with the next.
    package static func next() throws(LocalServerError) -> Int {
        let (descriptor, port) = try hold()
        close(descriptor)
        return port
    }

    /// So many ports, each another, of which the same holds.
    package static func next(_ count: Int) throws(LocalServerError) -> [Int] {
        var held: [(descriptor: Int32, port: Int)] = []
        // All are held until all are found, or the kernel might give one twice.
        defer { for one in held { close(one.descriptor) } }
        for _ in 0..<count { held.append(try hold()) }
        return held.map(\.port)
    }

    /// A free port, and the open socket that is bound to it.
    private static func hold() throws(LocalServerError) -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .errno("open", "a socket") }
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard bound else {
            let problem = LocalServerError.errno("find a free port on", "127.0.0.1")
            close(descriptor)
            throw problem
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// True if something accepts connections on that port of 127.0.0.1.
    static func answers(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = loopback(port: UInt16(clamping: port))
        return unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
