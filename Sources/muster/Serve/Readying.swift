import Synchronization

/// Calls back once all fronts listen.
final class Readying: Sendable {
    private struct State {
        var est: Int?
        var publicFront: Int?
        var metrics: Int?
        var operatorFront: Int?
        var isDone = false
        var failure: (any Error)?
    }

    private let state = Mutex(State())
    private let hasOperatorFront: Bool
    private let onReady: @Sendable (MusterServer.Ports) async throws -> Void

    init(hasOperatorFront: Bool, _ onReady: @escaping @Sendable (MusterServer.Ports) async throws -> Void) {
        self.hasOperatorFront = hasOperatorFront
        self.onReady = onReady
    }

    var failure: (any Error)? { state.withLock { $0.failure } }

    func est(_ port: Int) async { await note { $0.est = port } }
    func publicFront(_ port: Int) async { await note { $0.publicFront = port } }
    func metrics(_ port: Int) async { await note { $0.metrics = port } }
    func operatorFront(_ port: Int) async { await note { $0.operatorFront = port } }

    private func note(_ change: @Sendable (inout State) -> Void) async {
        let ports: MusterServer.Ports? = state.withLock { state in
            change(&state)
            guard !state.isDone, let est = state.est, let publicFront = state.publicFront,
                let metrics = state.metrics, !hasOperatorFront || state.operatorFront != nil
            else { return nil }
            state.isDone = true
            return MusterServer.Ports(
                est: est,
                publicFront: publicFront,
                metrics: metrics,
                operatorFront: state.operatorFront
            )
        }
        guard let ports else { return }
        do { try await onReady(ports) } catch { state.withLock { $0.failure = error } }
    }
}

/// A value that several tasks read and one replaces.
final class Mutexed<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>

    init(_ value: Value) { storage = Mutex(value) }

    var value: Value {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}
