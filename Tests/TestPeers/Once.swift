/// What the first of many tests does for all of them; the others wait until it is done.
package actor Once {
    private var done: Task<Void, any Error>?

    package init() {}

    /// Runs `work` at the first call. Each call ends when that has ended, and throws what it threw.
    package func run(_ work: @escaping @Sendable () async throws -> Void) async throws {
        // Unstructured: all tests wait for it, and no one of them is its parent.
        let task = done ?? Task { try await work() }
        done = task
        try await task.value
    }
}
