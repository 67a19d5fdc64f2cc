/// How a scenario ended.
enum RunVerdict: String, CaseIterable, Sendable {
    case passed
    /// A limit is not met, or not all was played.
    case failed
    /// By SIGINT: what was measured until then is reported, and is no verdict on the server.
    case interrupted
}
