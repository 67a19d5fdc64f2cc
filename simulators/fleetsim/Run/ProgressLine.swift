import Foundation
import Glibc

/// How far a run is, on standard error: one line that is redrawn on a terminal, a line every few seconds elsewhere.
struct ProgressLine {
    private static let barWidth = 24
    private let total: Int
    private let began: ContinuousClock.Instant
    private let isTerminal: Bool
    private let interval: Duration
    private var drawn: ContinuousClock.Instant

    init(total: Int, began: ContinuousClock.Instant, isTerminal: Bool = isatty(STDERR_FILENO) == 1) {
        self.total = total
        self.began = began
        self.isTerminal = isTerminal
        interval = isTerminal ? .milliseconds(200) : .seconds(5)
        drawn = began
    }

    /// Called after each device; draws if it is time.
    mutating func advance(done: Int, failed: Int, waiting: Int = 0, now: ContinuousClock.Instant) {
        guard now - drawn >= interval else { return }
        drawn = now
        let line = Self.line(
            done: done,
            failed: failed,
            waiting: waiting,
            total: total,
            elapsed: now - began,
            bar: isTerminal
        )
        write(line)
    }

    /// Leaves the terminal's line.
    func finish() {
        guard isTerminal else { return }
        write("")
    }

    private func write(_ line: String) {
        let text = isTerminal ? "\r\u{1B}[K\(line)" : line + "\n"
        FileHandle.standardError.write(Data(text.utf8))
    }

    /// The line for that state.
    static func line(
        done: Int,
        failed: Int,
        waiting: Int = 0,
        total: Int,
        elapsed: Duration,
        bar: Bool
    ) -> String {
        let seconds = max(elapsed.milliseconds / 1000, 0.001)
        let rate = Double(done) / seconds
        let left = rate > 0 ? Int((Double(total - done) / rate).rounded(.up)) : 0
        let eta = left >= 60 ? "\(left / 60) min \(left % 60) s" : "\(left) s"
        let filled = barWidth * done / max(total, 1)
        let drawing =
            "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: barWidth - filled) + "] "
        let failures = failed > 0 ? ", \(failed) not enrolled" : ""
        let waits = waiting > 0 ? ", \(waiting) wait for approval" : ""
        return (bar ? drawing : "")
            + "\(done)/\(total) devices, \(String(format: "%.1f", rate)) a second, \(eta) left\(failures)\(waits)"
    }
}
