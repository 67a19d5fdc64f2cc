import Synchronization

/// Places for those who do something expensive, so many at once. Whoever comes when all are taken waits in the order of
/// coming.
final class Places: Sendable {
    private struct Guarded {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// The first of `waiting` that still waits.
        var first = 0
    }

    private let guarded: Mutex<Guarded>

    init(_ count: Int) { guarded = Mutex(Guarded(free: count)) }

    /// Waits for a place. A task that is cancelled gets its place in its turn too, so that none is lost.
    func enter() async -> Place {
        await withCheckedContinuation { waiter in
            let isFree = guarded.withLock { guarded in
                guard guarded.free == 0 else {
                    guarded.free -= 1
                    return true
                }
                guarded.waiting.append(waiter)
                return false
            }
            if isFree { waiter.resume() }
        }
        return Place(self)
    }

    fileprivate func leave() {
        let next: CheckedContinuation<Void, Never>? = guarded.withLock { guarded in
            guard guarded.first < guarded.waiting.count else {
                guarded.waiting = []
                guarded.first = 0
                guarded.free += 1
                return nil
            }
            defer { guarded.first += 1 }
            return guarded.waiting[guarded.first]
        }
        next?.resume()
    }
}

/// A place that is taken, until it is left or let go of.
final class Place: Sendable {
    private let places: Mutex<Places?>

    fileprivate init(_ places: Places) { self.places = Mutex(places) }

    deinit { leave() }

    /// Makes room for the next; does nothing the second time.
    func leave() {
        let held = places.withLock { places in
            defer { places = nil }
            return places
        }
        held?.leave()
    }
}
