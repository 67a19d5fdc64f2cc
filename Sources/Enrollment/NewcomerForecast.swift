import Synchronization

/// Foresees whether the next holder of a bootstrap credential brings a device that the record has never heard of, by
/// those that came lately: at a factory's end of line nearly all do, after a power cut hardly any. Where nearly all do,
/// the record need not be asked before, since it verifies at the commit what was foreseen.
final class NewcomerForecast: Sendable {
    private static let creditMax = 64
    private static let creditNeeded = 32
    /// What one that is known takes away: nothing is foreseen where more than one of seventeen is known, since each of
    /// these takes a commit more.
    private static let knownCost = 16

    private let credit = Mutex(0)

    var expectsNewcomer: Bool { credit.withLock { $0 >= Self.creditNeeded } }

    /// One came, and the record knew nothing of it, or did.
    func saw(newcomer: Bool) {
        credit.withLock { credit in
            credit = newcomer ? min(credit + 1, Self.creditMax) : max(credit - Self.knownCost, 0)
        }
    }
}
