import CLibpq
import Foundation
import Synchronization

/// Tells when sockets can be read or written: one thread that waits in epoll for all connections of the process.
///
/// A dispatch source would do the same by way of two threads, its manager's and its queue's, and each change of
/// thread is a good part of a short query's time.
final class SocketEvents: Sendable {
    static let shared = SocketEvents()

    typealias Token = UInt64

    private let descriptor: Int32
    private let handlers = Mutex<[Token: @Sendable () -> Void]>([:])
    private let nextToken = Atomic<Token>(0)

    private init() {
        descriptor = muster_epoll_create()
        // Without one, `watch` refuses, and says so.
        guard descriptor >= 0 else { return }
        // The process ends without waiting for this thread.
        let thread = Thread { [descriptor, weak self] in
            var tokens = [Token](repeating: 0, count: Int(MUSTER_EPOLL_BATCH_MAX))
            while true {
                let count = unsafe muster_epoll_wait(descriptor, &tokens)
                for index in 0..<max(0, Int(count)) { self?.fire(tokens[index]) }
            }
        }
        thread.name = "postgres-sockets"
        thread.start()
    }

    /// Calls `handler` on the thread of this loop whenever the socket has input, its end included, and not read yet.
    /// The handler must not block. Nil if the kernel refuses.
    func watch(_ socket: Int32, _ handler: @escaping @Sendable () -> Void) -> Token? {
        let token = nextToken.wrappingAdd(1, ordering: .relaxed).newValue
        handlers.withLock { $0[token] = handler }
        if muster_epoll_add(descriptor, socket, token) { return token }
        handlers.withLock { $0[token] = nil }
        return nil
    }

    /// From now on the handler is called also, or no more, when the socket takes output.
    func set(_ token: Token, _ socket: Int32, wantsWrite: Bool) {
        _ = muster_epoll_modify(descriptor, socket, token, wantsWrite)
    }

    /// The handler is not called any more, but for a call that is already on its way. The socket may be closed then.
    func unwatch(_ token: Token, _ socket: Int32) {
        _ = muster_epoll_remove(descriptor, socket)
        handlers.withLock { $0[token] = nil }
    }

    private func fire(_ token: Token) {
        handlers.withLock { $0[token] }?()
    }
}
