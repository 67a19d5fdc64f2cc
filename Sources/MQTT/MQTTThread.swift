import CMosquitto
import Foundation
import Glibc
import Synchronization

/// A thread that drives connections. It starts with the first one that it is given and ends with the last.
///
/// Each connection has one of its own, unless its configuration names one that it shares: a program that plays thousands
/// of clients has one thread for all, and no client's stack and timer. What the library does while it connects blocks
/// all connections of the thread, so share one only towards a broker that is near.
package final class MQTTThread: Sendable {
    private struct Guarded {
        var joining: [MQTTSession] = []
        /// Sessions that have something to do which their sockets do not tell.
        var called: Set<ObjectIdentifier> = []
        var isRunning = false
    }

    private let wake: WakeUp
    private let guarded = Mutex(Guarded())

    /// Nothing is started yet.
    package init() throws(MQTTError) { wake = try WakeUp() }

    /// Drives a session from now to its end.
    func drive(_ session: MQTTSession) {
        let mustStart = guarded.withLock { guarded in
            guarded.joining.append(session)
            defer { guarded.isRunning = true }
            return !guarded.isRunning
        }
        guard mustStart else { return wake.signal() }
        let thread = Thread {
            // Foundation loses a name where the thread runs before its creator has noted it.
            unsafe muster_name_thread("mqtt")
            self.run()
        }
        thread.stackSize = Self.stackBytes
        thread.start()
    }

    /// Has the thread look at a session. One that is not driven yet is looked at when it is.
    func call(_ session: MQTTSession) {
        guarded.withLock { guarded in
            if guarded.isRunning { guarded.called.insert(ObjectIdentifier(session)) }
        }
        wake.signal()
    }

    // MARK: The thread

    private func run() {
        var drives: [SessionDrive] = []
        var ticked = ContinuousClock.now
        while let joining = takeJoining(hasNone: drives.isEmpty) {
            drives += joining.map { SessionDrive($0) }
            let events = wait(for: drives)
            // After the wait, which took back the signal: whoever calls from here on ends the next wait.
            let called = guarded.withLock { guarded in
                defer { guarded.called = [] }
                return guarded.called
            }
            let isTick = ContinuousClock.now - ticked >= Self.tick
            if isTick { ticked = .now }
            var kept: [SessionDrive] = []
            var ended: [(session: MQTTSession, reason: MQTTError)] = []
            for (index, drive) in drives.enumerated() {
                let event = events[index]
                let isDue = isTick || event != 0 || drive.isHasty || called.contains(ObjectIdentifier(drive.session))
                if isDue, let reason = drive.turn(event) {
                    ended.append((drive.session, reason))
                } else {
                    kept.append(drive)
                }
            }
            drives = kept
            for (session, reason) in ended { session.finish(reason) }
        }
    }

    /// The sessions that are new; nil if there are none and none is left, and the thread ends.
    private func takeJoining(hasNone: Bool) -> [MQTTSession]? {
        guarded.withLock { guarded in
            defer { guarded.joining = [] }
            if hasNone, guarded.joining.isEmpty {
                guarded.called = []
                guarded.isRunning = false
                return nil
            }
            return guarded.joining
        }
    }

    /// Waits until a socket or a caller has something, or for the tick.
    /// - Returns: What `poll` says of each.
    private func wait(for drives: [SessionDrive]) -> [Int16] {
        var entries = [pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)]
        // A negative descriptor is passed over.
        entries += drives.map { pollfd(fd: $0.socket ?? -1, events: $0.awaited, revents: 0) }
        let isHasty = drives.contains { $0.isHasty }
        let count = unsafe poll(&entries, nfds_t(entries.count), isHasty ? 0 : Self.tickMilliseconds)
        if count < 0, errno != EINTR {
            // Too many for the process's bound of open files: each learns of it as of a broken connection.
            return drives.map { _ in Int16(POLLNVAL) }
        }
        if entries[0].revents != 0 { wake.clear() }
        return entries.dropFirst().map { $0.revents }
    }

    private static let stackBytes = 512 << 10
    private static let tickMilliseconds: Int32 = 1_000
    private static let tick = Duration.milliseconds(1_000)
}
