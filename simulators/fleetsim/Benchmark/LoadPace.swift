import NIOCore

/// When what is measured is due: by the clock at a rate, or else at once. Used on its event loop alone.
final class LoadPace {
    /// How many are due in a second; nil is no rate.
    private let rate: Double?
    private let loop: any EventLoop
    private let origin = NIODeadline.now()
    /// True while the next one waits for its moment.
    private var isWaiting = false

    init(_ rate: Double?, on loop: any EventLoop) {
        self.rate = rate
        self.loop = loop
    }

    /// When the one of that index, counted from 0, was due; nil if that is yet to come, and then `again` is called once it
    /// has.
    func due(_ index: Int, again: @escaping () -> Void) -> NIODeadline? {
        guard let rate else { return .now() }
        let due = origin + .nanoseconds(Int64(Double(index) * 1e9 / rate))
        if due <= .now() { return due }
        if !isWaiting {
            isWaiting = true
            loop.assumeIsolated().scheduleTask(deadline: due) {
                self.isWaiting = false
                again()
            }
        }
        return nil
    }
}
