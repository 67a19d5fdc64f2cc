package import Enrollment
package import Postgres

extension RecordError {
    /// What a failed call means to the domain: come back later, or a fault of ours.
    package init(_ error: PostgresError) {
        switch error {
        case .unavailable, .timedOut, .cancelled, .commitOutcomeUnknown: self = .unavailable("\(error)")
        // A serialization failure or a deadlock: the same call may succeed when it is made again.
        case .server where error.isTransient: self = .unavailable("\(error)")
        case .server, .decoding, .invalidQuery: self = .broken("\(error)")
        }
    }
}

/// Runs `body` with its errors told in the domain's words.
func recording<Value>(_ body: () async throws -> Value) async throws(RecordError) -> Value {
    do {
        return try await body()
    } catch let error as RecordError {
        throw error
    } catch let error as PostgresError {
        throw RecordError(error)
    } catch is CancellationError {
        throw .unavailable("the call was cancelled")
    } catch {
        throw .broken("\(error)")
    }
}
