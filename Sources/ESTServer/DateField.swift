import EST
import Foundation
import Synchronization

/// The value of the Date field (RFC 9110 section 6.6.1), made once a second.
final class DateField: Sendable {
    private let last = Mutex((second: Int64.min, text: ""))

    func text(at now: Date = Date()) -> String {
        let second = Int64(now.timeIntervalSince1970.rounded(.down))
        return last.withLock { last in
            if last.second != second { last = (second, HTTPDate.format(second)) }
            return last.text
        }
    }
}
