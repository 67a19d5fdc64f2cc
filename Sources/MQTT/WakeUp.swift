import Glibc

/// A descriptor by which one thread wakes another out of `poll`.
final class WakeUp: Sendable {
    /// Readable from `signal()` until `clear()`.
    let descriptor: Int32
    private let other: Int32

    init() throws(MQTTError) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw .unreachable("no descriptor is left for the connection")
        }
        descriptor = ends[0]
        other = ends[1]
    }

    deinit {
        close(descriptor)
        close(other)
    }

    /// Wakes the waiting thread, or the next wait. A full buffer is a signal already.
    func signal() {
        var byte: UInt8 = 1
        unsafe send(other, &byte, 1, Int32(MSG_NOSIGNAL))
    }

    /// Takes back the signals so far; what is left over only wakes once more.
    func clear() {
        var bytes = [UInt8](repeating: 0, count: 64)
        unsafe recv(descriptor, &bytes, bytes.count, 0)
    }
}
