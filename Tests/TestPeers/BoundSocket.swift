import Glibc

/// A port of 127.0.0.1 that this process has to itself, for as long as the object lives.
package final class BoundSocket: Sendable {
    package let port: Int
    private let descriptor: Int32

    /// That port was not to be had.
    package struct NotFree: Error {}

    /// - Parameter port: 0 for one that the kernel chooses.
    package init(port: Int = 0) throws(NotFree) {
        // Closed in every program that another test starts: a copy there would keep the port.
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(clamping: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else {
            close(descriptor)
            throw NotFree()
        }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        self.descriptor = descriptor
    }

    /// Accepts connections, of which nobody ever takes one.
    package func listen() throws(NotFree) {
        guard Glibc.listen(descriptor, 16) == 0 else { throw NotFree() }
    }

    /// Ends listening and connections.
    package func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// A port that the kernel chose, and that nothing listens on now.
    package static func freePort() throws(NotFree) -> Int { try BoundSocket().port }

    deinit { close(descriptor) }
}
