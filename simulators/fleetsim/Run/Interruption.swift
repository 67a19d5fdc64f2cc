import Dispatch
import Glibc

/// Runs `body` with SIGINT as a milestone, in place of the end of the process: what was measured until then is to be
/// reported. A process hears one: a second source, made before Dispatch has let go of the first, would hear nothing.
func hearingInterrupts<Value>(_ body: (_ interrupt: Milestone<Void>) async throws -> Value) async rethrows -> Value {
    let interrupt = Milestone<Void>()
    // The default action would end the process before it could report.
    let previous = Glibc.signal(SIGINT, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    source.setEventHandler { interrupt.reach(()) }
    source.resume()
    defer {
        source.cancel()
        _ = Glibc.signal(SIGINT, previous)
    }
    return try await body(interrupt)
}
