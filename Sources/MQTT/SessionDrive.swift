import Glibc

/// One session on the thread that drives it, with its handle of the library, which is made, used and freed here.
final class SessionDrive {
    let session: MQTTSession
    private var handle: MosquittoHandle?
    private var flushDeadline: ContinuousClock.Instant?

    init(_ session: MQTTSession) { self.session = session }

    var socket: Int32? { handle?.socket }

    /// What is to be waited for at the socket.
    var awaited: Int16 { Int16(POLLIN) | (handle?.wantsToWrite == true ? Int16(POLLOUT) : 0) }

    /// True if there is something to do that `poll` does not see: the beginning, or bytes that TLS has taken already.
    var isHasty: Bool { handle.map { $0.hasPending } ?? true }

    /// Does what there is to do now.
    /// - Parameter events: What `poll` says of the socket.
    /// - Returns: Why the session has ended; its handle is freed by then. Nil if it goes on.
    func turn(_ events: Int16) -> MQTTError? {
        do throws(MQTTError) {
            guard try goesOn(events) else { return end(.cancelled) }
            return nil
        } catch .tls(let text) {
            // After the broker's acceptance a TLS failure is a lost connection, such as one that was not closed well.
            return end(session.isConnected ? .notConnected : .tls(text))
        } catch {
            return end(error)
        }
    }

    private func end(_ reason: MQTTError) -> MQTTError {
        handle = nil
        return reason
    }

    /// - Returns: False when it has ended as it was asked to.
    private func goesOn(_ events: Int16) throws(MQTTError) -> Bool {
        let handle: MosquittoHandle
        if let begun = self.handle { handle = begun } else { handle = try begin() }
        if events & Int16(POLLNVAL) != 0 { throw .unreachable("too many open files; raise the limit (ulimit -n)") }
        let broken = Int16(POLLERR) | Int16(POLLHUP)
        if events & Int16(POLLOUT) != 0 { try handle.write() }
        if events & (Int16(POLLIN) | broken) != 0 || handle.hasPending { try read(handle) }
        try handle.tick()
        let (calls, isClosing) = session.takeCalls()
        for call in calls { session.make(call, on: handle) }
        if isClosing, flushDeadline == nil {
            handle.disconnect()
            flushDeadline = .now + Self.flushPatience
        }
        guard handle.socket != nil else { throw .notConnected }
        if let flushDeadline, !handle.wantsToWrite || flushDeadline < .now { return false }
        return true
    }

    private func begin() throws(MQTTError) -> MosquittoHandle {
        let handle = try MosquittoHandle(session.configuration, receiver: session)
        self.handle = handle
        try handle.connect()
        return handle
    }

    /// What is left after so many reads waits for the next turn, so that one talkative broker keeps nobody waiting.
    private func read(_ handle: MosquittoHandle) throws(MQTTError) {
        try handle.read()
        var rounds = 0
        while handle.hasPending, rounds < Self.readsMax {
            rounds += 1
            try handle.read()
        }
    }

    private static let readsMax = 256
    private static let flushPatience = Duration.seconds(2)
}
