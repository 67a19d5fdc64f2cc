import Dispatch
import Foundation
import Synchronization

/// One connection, from CONNECT to its end, driven by a thread of its own that ends with it, or by one that it shares.
///
/// A connection is never revived: a new one is a new session object with a new library handle, so that no state of
/// the library survives a loss.
final class MQTTSession: Sendable, MosquittoReceiver {
    private typealias Waiter = CheckedContinuation<Result<Void, MQTTError>, Never>

    private struct Guarded {
        var state = SessionState<Waiter>()
        var openers: [Waiter] = []
        var enders: [CheckedContinuation<MQTTError, Never>] = []
    }

    let configuration: MQTTConfiguration
    private let deliver: @Sendable (MQTTMessage) -> Void
    private let thread: MQTTThread
    private let guarded = Mutex(Guarded())

    /// Nothing is sent yet.
    /// - Parameter deliver: Called on the driving thread with each message; it must not wait.
    init(_ configuration: MQTTConfiguration, deliver: @escaping @Sendable (MQTTMessage) -> Void) throws(MQTTError) {
        self.configuration = configuration
        self.deliver = deliver
        if let shared = configuration.thread { thread = shared } else { thread = try MQTTThread() }
    }

    /// Connects, and returns when the broker has accepted.
    /// - Returns: True if the broker kept an earlier session.
    func connect() async throws(MQTTError) -> Bool {
        thread.drive(self)
        // The library's connect blocks, at most as long as the kernel tries; whoever waits is freed in time, and the
        // thread then ends by itself.
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.interval(configuration.connectTimeout)) {
            [weak self] in
            self?.expireConnect()
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter) in
                let known: Result<Void, MQTTError>? = guarded.withLock { guarded in
                    switch guarded.state.phase {
                    case .connected: return .success(())
                    case .closing(let error), .ended(let error): return .failure(error)
                    case .connecting:
                        guarded.openers.append(waiter)
                        return nil
                    }
                }
                if let known { waiter.resume(returning: known) }
            }
        } onCancel: {
            fail(.cancelled)
        }
        try result.get()
        return guarded.withLock { $0.state.phase == .connected(sessionPresent: true) }
    }

    /// Does one thing and waits for the broker's answer.
    func perform(_ action: SessionAction) async throws(MQTTError) {
        let ticket = guarded.withLock { $0.state.nextTicket() }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter) in
                let refusal = guarded.withLock { guarded in
                    guarded.state.enqueue(
                        .init(ticket: ticket, action: action),
                        waiter: waiter,
                        deadline: .now + configuration.answerTimeout,
                        callsMax: configuration.callsMax
                    )
                }
                if let refusal { waiter.resume(returning: .failure(refusal)) } else { thread.call(self) }
                // A task that was cancelled before this point has had its handler run already.
                if Task.isCancelled { abandon(ticket) }
            }
        } onCancel: {
            abandon(ticket)
        }
        try result.get()
    }

    /// Waits for the end of the session, which a cancelled task asks for.
    /// - Returns: Why it ended.
    func ended() async -> MQTTError {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let reason: MQTTError? = guarded.withLock { guarded in
                    if case .ended(let reason) = guarded.state.phase { return reason }
                    guarded.enders.append(waiter)
                    return nil
                }
                if let reason { waiter.resume(returning: reason) }
            }
        } onCancel: {
            fail(.cancelled)
        }
    }

    /// Asks for the end: what is sent already goes out, then a DISCONNECT.
    func close() { fail(.cancelled) }

    // MARK: What the thread asks for

    var isConnected: Bool { guarded.withLock { $0.state.isConnected } }

    /// The calls to make now, and whether the end is asked for. Whoever has waited for too long is told so.
    func takeCalls() -> (calls: [SessionCall], isClosing: Bool) {
        let (calls, isClosing, overdue) = guarded.withLock { guarded in
            let isClosing = if case .closing = guarded.state.phase { true } else { false }
            return (guarded.state.takeCalls(), isClosing, guarded.state.overdue(at: .now))
        }
        for waiter in overdue { waiter.resume(returning: .failure(.timedOut)) }
        return (calls, isClosing)
    }

    /// The end. The handle is freed by now: who waited for the end may rely on that.
    func finish(_ reason: MQTTError) {
        let (calls, openers, enders, final) = guarded.withLock { guarded in
            let calls = guarded.state.end(reason)
            defer {
                guarded.openers = []
                guarded.enders = []
            }
            return (calls, guarded.openers, guarded.enders, guarded.state.openError ?? reason)
        }
        for waiter in calls { waiter.resume(returning: .failure(.notConnected)) }
        for waiter in openers { waiter.resume(returning: .failure(final)) }
        for waiter in enders { waiter.resume(returning: final) }
    }

    func make(_ call: SessionCall, on handle: MosquittoHandle) {
        do throws(MQTTError) {
            let id =
                switch call.action {
                case .publish(let topic, let payload, let qos, let retain):
                    try handle.publish(topic, payload, qos: qos, retain: retain)
                case .subscribe(let filter, let qos):
                    try handle.subscribe(filter, qos: qos)
                }
            if let (waiter, reason) = guarded.withLock({ $0.state.made(call.ticket, messageID: id) }) {
                waiter.resume(returning: reason >= 0x80 ? .failure(.publishRefused(reasonCode: reason)) : .success(()))
            }
        } catch {
            guarded.withLock { $0.state.remove(call.ticket) }?.resume(returning: .failure(error))
        }
    }

    // MARK: What the library tells

    func connected(reasonCode: Int, sessionPresent: Bool) {
        guard reasonCode == 0 else { return fail(.refused(reasonCode: reasonCode)) }
        let openers = guarded.withLock { guarded in
            guard guarded.state.opened(sessionPresent: sessionPresent) else { return [Waiter]() }
            defer { guarded.openers = [] }
            return guarded.openers
        }
        for waiter in openers { waiter.resume(returning: .success(())) }
    }

    func disconnected(code: Int) {
        // Reason codes of the broker's DISCONNECT are 0x80 or more; below are the library's own, told by its calls.
        if code >= 0x80 { fail(.refused(reasonCode: code)) }
    }

    func acknowledged(messageID: Int32, reasonCode: Int) {
        let waiter = guarded.withLock { $0.state.answered(messageID: messageID, reasonCode: reasonCode) }
        waiter?.resume(returning: reasonCode >= 0x80 ? .failure(.publishRefused(reasonCode: reasonCode)) : .success(()))
    }

    func subscribed(messageID: Int32, reasonCode: Int) {
        let waiter = guarded.withLock { $0.state.answered(messageID: messageID, reasonCode: reasonCode) }
        waiter?.resume(
            returning: reasonCode >= 0x80 ? .failure(.subscriptionRefused(reasonCode: reasonCode)) : .success(())
        )
    }

    func received(_ message: MQTTMessage) { deliver(message) }

    // MARK: Ends

    private func expireConnect() {
        if guarded.withLock({ $0.state.phase == .connecting }) { fail(.timedOut) }
    }

    /// Asks for the end, and frees at once who waits for the beginning.
    private func fail(_ reason: MQTTError) {
        let (openers, error) = guarded.withLock { guarded in
            guarded.state.close(reason)
            defer { guarded.openers = [] }
            return (guarded.openers, guarded.state.openError ?? reason)
        }
        for waiter in openers { waiter.resume(returning: .failure(error)) }
        thread.call(self)
    }

    private func abandon(_ ticket: UInt64) {
        guarded.withLock { $0.state.remove(ticket) }?.resume(returning: .failure(.cancelled))
    }

    private static func interval(_ duration: Duration) -> DispatchTimeInterval {
        .milliseconds(
            Int(clamping: duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000)
        )
    }
}
