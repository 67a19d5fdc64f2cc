import Foundation
import Glibc

/// What the system tells of the server's process.
struct ServerProcess: Sendable {
    let pid: Int32

    init(pid: Int32) { self.pid = pid }

    /// The process that dev.json names.
    init(_ file: DevFile) throws {
        guard let pid = file.pid else { throw SimulatorError.devFile("dev.json has no pid") }
        self.pid = pid
    }

    /// CPU time since it began, in milliseconds: in the program, and in the kernel for it.
    struct Time: Sendable {
        let user: Double
        let system: Double

        static let zero = Time(user: 0, system: 0)

        var total: Double { user + system }

        static func - (left: Time, right: Time) -> Time {
            Time(user: left.user - right.user, system: left.system - right.system)
        }

        static func * (time: Time, factor: Double) -> Time {
            Time(user: time.user * factor, system: time.system * factor)
        }
    }

    /// proc(5), stat: fields 14 and 15, in clock ticks.
    func time() throws -> Time {
        let text = try read("stat")
        // The program's name stands in parentheses and may hold anything.
        guard let end = text.lastIndex(of: ")") else { throw unreadable("stat") }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw unreadable("stat")
        }
        let tick = 1000 / Double(sysconf(Int32(_SC_CLK_TCK)))
        return Time(user: user * tick, system: system * tick)
    }

    /// What it spends in a second now, looked at for that long.
    func timePerSecond(for length: Duration) async throws -> Time {
        let (began, before) = (ContinuousClock.now, try time())
        try await Task.sleep(for: length)
        return try (time() - before) * (1000 / max((ContinuousClock.now - began).milliseconds, 1))
    }

    /// The most memory that it held, in bytes (proc(5), status: VmHWM).
    func peakMemory() throws -> Int {
        for line in try read("status").split(separator: "\n") where line.hasPrefix("VmHWM:") {
            if let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({
                Int($0.trimmingCharacters(in: .whitespaces))
            }) {
                return kilobytes * 1024
            }
        }
        throw unreadable("status")
    }

    /// Lets `peakMemory` begin anew (proc(5), clear_refs: 5).
    func resetPeakMemory() throws {
        do {
            try Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/\(pid)/clear_refs"))
        } catch {
            throw SimulatorError.devFile(
                "the peak memory of process \(pid) cannot be reset: run as its user or as root"
            )
        }
    }

    private func read(_ name: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/\(name)") else {
            throw SimulatorError.devFile("there is no process \(pid), which dev.json names: start muster dev anew")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private func unreadable(_ name: String) -> SimulatorError {
        .devFile("/proc/\(pid)/\(name) is not as it should be")
    }
}
