import ArgumentParser
import Foundation

/// Ends a command that could not do what it was asked: one line on standard error, status 1.
func refused(_ problem: some CustomStringConvertible) -> ExitCode {
    FileHandle.standardError.write(Data("muster: \(problem)\n".utf8))
    return ExitCode(1)
}

/// Runs a command's work; whatever it throws becomes one line and status 1.
func refusing<Value>(_ work: () async throws -> Value) async throws -> Value {
    do {
        return try await work()
    } catch let code as ExitCode {
        throw code
    } catch is CancellationError {
        throw ExitCode(130)
    } catch {
        throw refused("\(error)")
    }
}
