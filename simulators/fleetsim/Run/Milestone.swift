import Synchronization

/// Something that happens once, and that any number of tasks wait for.
final class Milestone<Value: Sendable>: Sendable {
    private struct Guarded {
        var value: Value?
        var waiting: [UInt64: CheckedContinuation<Value?, Never>] = [:]
        var last: UInt64 = 0
    }

    private let guarded = Mutex(Guarded())

    /// What happened; nil if it has not yet.
    var reached: Value? { guarded.withLock { $0.value } }

    /// It happens; what was first stays.
    func reach(_ value: Value) {
        let waiting = guarded.withLock { guarded in
            guard guarded.value == nil else { return [CheckedContinuation<Value?, Never>]() }
            guarded.value = value
            defer { guarded.waiting = [:] }
            return Array(guarded.waiting.values)
        }
        for waiter in waiting { waiter.resume(returning: value) }
    }

    /// Waits for it, which may have been before.
    /// - Throws: `CancellationError` if the task is cancelled first.
    func value() async throws -> Value {
        let ticket = guarded.withLock { guarded in
            guarded.last += 1
            return guarded.last
        }
        let value = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let known: Value?? = guarded.withLock { guarded in
                    if let value = guarded.value { return .some(value) }
                    if Task.isCancelled { return .some(nil) }
                    guarded.waiting[ticket] = waiter
                    return nil
                }
                if let known { waiter.resume(returning: known) }
            }
        } onCancel: {
            guarded.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: nil)
        }
        guard let value else { throw CancellationError() }
        return value
    }

    /// Waits for it, but no longer than that.
    /// - Returns: Nil if it has not happened by then.
    func value(within patience: Duration) async throws -> Value? {
        try await bounded(by: patience) { try await self.value() }
    }
}

/// Runs `work`, and cancels it after so long.
/// - Returns: Nil if it was not done by then.
func bounded<Value: Sendable>(
    by patience: Duration,
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: patience)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
}
