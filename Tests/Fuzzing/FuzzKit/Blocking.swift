import Dispatch

/// Waits for what is asynchronous: libFuzzer calls a plain function, and counts what ran when that returns.
package enum Blocking {
    private final class Box<Value: Sendable>: @unchecked Sendable {
        // Written before the semaphore is signalled and read after it was waited for, so never at once.
        var value: Value?
    }

    package static func value<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
        let box = Box<Value>()
        let done = DispatchSemaphore(value: 0)
        // Unstructured: waited for on the next line but one, since there is no asynchronous caller.
        Task.detached {
            box.value = await body()
            done.signal()
        }
        done.wait()
        guard let value = box.value else { fatalError("an asynchronous call gave nothing") }
        return value
    }
}
