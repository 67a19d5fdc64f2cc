package import Foundation
import Synchronization

/// A clock that stands still until a test moves it.
package final class TestClock: Sendable {
    /// Where every clock begins: a whole second, so that what is issued then is what is read back.
    package static let start = Date(timeIntervalSince1970: 1_768_478_400)

    private let moment: Mutex<Date>

    package init(_ start: Date = TestClock.start) { moment = Mutex(start) }

    /// What the clock shows.
    package var now: Date { moment.withLock { $0 } }

    /// Moves the clock forward.
    package func advance(by seconds: TimeInterval) { moment.withLock { $0.addTimeInterval(seconds) } }
}

extension TimeInterval {
    /// One day, in seconds.
    package static var day: TimeInterval { 86_400 }
}
