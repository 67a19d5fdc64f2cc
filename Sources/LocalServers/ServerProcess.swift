import Dispatch
import Foundation
import Glibc

/// A process of a private server, known by its id and start time, so that a recycled id is never taken for it.
struct ServerProcess: Sendable, Equatable {
    let id: Int32
    /// Clock ticks since boot; with the id it names one process for as long as the machine runs.
    private let startTime: String

    /// The living process of that id; nil if there is none, or only its zombie.
    init?(id: Int32) {
        guard id > 1, let status = Self.status(id) else { return nil }
        self.id = id
        startTime = status.startTime
    }

    /// True until it has ended; a zombie has.
    var isAlive: Bool { Self.status(id)?.startTime == startTime }

    /// The file that it runs, and its current folder; nil if it has ended or is not ours to ask.
    var executable: String? { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/exe") }
    var workingDirectory: String? { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/cwd") }

    /// Its command line, in words.
    var arguments: [String] {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") else { return [] }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Sends a signal, if it still lives.
    func send(_ signal: Int32) {
        guard isAlive else { return }
        Glibc.kill(id, signal)
    }

    /// Sends each signal in turn and waits for the end, at most so long each.
    /// - Returns: True if it has ended.
    func end(with steps: [(signal: Int32, patience: Duration)]) async -> Bool {
        for step in steps {
            send(step.signal)
            if await Patience.wait(step.patience, until: { !self.isAlive }) { return true }
        }
        return !isAlive
    }

    /// All living processes that run a program of that name, as far as we may ask.
    static func all(running program: String) -> [ServerProcess] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }.compactMap { ServerProcess(id: $0) }.filter { $0.runs(program) }
    }

    /// Those of them that live in `folder`.
    static func all(in folder: String, running program: String) -> [ServerProcess] {
        all(running: program).filter { $0.workingDirectory == folder }
    }

    /// True if the file that it runs has that name; also after an upgrade replaced the file.
    func runs(_ program: String) -> Bool {
        guard let name = executable?.split(separator: "/").last else { return false }
        return name == program || name == program + " (deleted)"
    }

    private static func status(_ id: Int32) -> (state: Character, startTime: String)? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(id)/stat") else { return nil }
        // proc(5): the name is in parentheses and may hold anything; fields are counted after the last one.
        let text = String(decoding: bytes, as: UTF8.self)
        guard let close = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 19, let state = fields[0].first, state != "Z", state != "X" else { return nil }
        return (state, String(fields[19]))
    }
}

/// A bounded wait for a condition.
enum Patience {

    /// Asks until `condition` holds or the time is over. Goes on if the task is cancelled: stopping a server is
    /// finished, not abandoned.
    /// - Returns: True if it came to hold.
    static func wait(_ limit: Duration, until condition: () async -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + limit
        while true {
            if await condition() { return true }
            guard ContinuousClock.now < deadline else { return false }
            await pause()
        }
    }

    private static func pause() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { continuation.resume() }
        }
    }
}
