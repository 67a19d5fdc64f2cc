import ArgumentParser
import Foundation
import Glibc
import NIOCore
import OperatorAPI
import Synchronization

/// `muster registration import`: looks the whole file over first, and sends it only if every line is good.
struct RegistrationImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Register all devices of a file, or none of them.",
        discussion: """
            FILE is a CSV with the header device,key_sha256,idevid_sha256 (the last two may be left out), or has one JSON \
            object a line (device, keySHA256, idevidSHA256); - reads standard input. Bad lines are told with their numbers, \
            and then nothing is sent. Importing the same file again changes nothing.
            """
    )

    /// So many bad lines are told one by one.
    private static let faultsShown = 20

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var fleet: FleetOption
    @OptionGroup var output: OutputOptions
    @Argument(help: "The file; - is standard input.", completion: .file(extensions: ["csv", "jsonl", "ndjson"]))
    var file: String
    @Flag(help: "Only look the file over.") var dryRun = false

    func run() async throws {
        try await operating {
            let spooled = file == "-" ? try Self.spool() : nil
            defer { if let spooled { try? FileManager.default.removeItem(atPath: spooled) } }
            let source = try RegistrationFile(spooled ?? file)
            let count = try check(source)
            if dryRun { return CommandOutput.line("\(count) registrations, all good; nothing was sent") }
            let counts = try await OperatorClient.with(connection) { client in
                let progress = ProgressLine("registering", octets: source.octets)
                let counts = try await client.upload(
                    fleet: fleet.fleet,
                    lines: RegistrationLines(file: source, onProgress: progress.update)
                )
                progress.end()
                return counts
            }
            if output.json { return try CommandOutput.json(counts) }
            CommandOutput.line(
                "\(count) registrations: \(counts.added) added, \(counts.changed) changed, \(counts.unchanged) unchanged"
            )
        }
    }

    /// - Returns: How many registrations there are.
    private func check(_ source: RegistrationFile) throws -> Int {
        let progress = ProgressLine("checking", octets: source.octets)
        var faults: [RegistrationFile.Fault] = []
        var faultCount = 0
        var count = 0
        var seen: Set<Int> = []
        var suspects: Set<String> = []
        func note(_ fault: RegistrationFile.Fault) {
            faultCount += 1
            if faults.count < Self.faultsShown { faults.append(fault) }
        }
        try source.forEach(onProgress: progress.update) { _, result in
            switch result {
            case .failure(let fault): note(fault)
            case .success(let entry):
                count += 1
                if !seen.insert(entry.device.hashValue).inserted { suspects.insert(entry.device) }
            }
        }
        progress.end()
        if !suspects.isEmpty {
            // Of two names with one hash only equal ones count: a second look tells.
            var first: [String: Int] = [:]
            try source.forEach { line, result in
                guard case .success(let entry) = result, suspects.contains(entry.device) else { return }
                if let earlier = first[entry.device] {
                    note(.init(line: line, reason: "\(entry.device) stands in line \(earlier) already"))
                } else {
                    first[entry.device] = line
                }
            }
        }
        guard faultCount == 0 else {
            let name = file == "-" ? "standard input" : file
            let shown = faults.sorted { $0.line < $1.line }.map { "\(name):\($0.line): \($0.reason)" }
            let more = faultCount > faults.count ? ["and \(faultCount - faults.count) more"] : []
            throw CommandFailure(
                .refused,
                faultCount == 1 ? "one line is bad; nothing was sent" : "\(faultCount) lines are bad; nothing was sent",
                faults: shown + more
            )
        }
        guard count > 0 else { throw CommandFailure(.refused, "there is no registration in the file") }
        return count
    }

    /// Standard input can be read once only, and is read twice here.
    private static func spool() throws -> String {
        let path = NSTemporaryDirectory() + "muster-import-\(UUID().uuidString)"
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw CommandFailure(.refused, "\(path) cannot be written; is there room in the temporary folder?") }
        while let chunk = try FileHandle.standardInput.read(upToCount: 1 << 20), !chunk.isEmpty {
            try handle.write(contentsOf: chunk)
        }
        try handle.close()
        return path
    }
}

/// A file's registrations as the API takes them: one JSON object a line, a piece at a time as the connection takes them.
struct RegistrationLines: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    typealias Failure = any Error

    let file: RegistrationFile
    let onProgress: @Sendable (Int) -> Void

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var reader: Result<RegistrationFileReader, any Error>
        fileprivate let onProgress: @Sendable (Int) -> Void

        mutating func next() async throws -> ByteBuffer? {
            var reader = try reader.get()
            defer { self.reader = .success(reader) }
            while let batch = try reader.next() {
                onProgress(reader.octetsRead)
                var buffer = ByteBuffer()
                for (line, result) in batch {
                    switch result {
                    case .success(let entry): Self.write(entry, to: &buffer)
                    case .failure(let fault):
                        throw CommandFailure(.refused, "line \(line) was changed meanwhile: \(fault.reason)")
                    }
                }
                if buffer.readableBytes > 0 { return buffer }
            }
            return nil
        }

        /// Every value was checked to be plain ASCII without quotes.
        private static func write(_ entry: API.RegistrationLine, to buffer: inout ByteBuffer) {
            buffer.writeString("{\"device\":\"")
            buffer.writeString(entry.device)
            if let key = entry.keySHA256 {
                buffer.writeString("\",\"keySHA256\":\"")
                buffer.writeString(key)
            }
            if let idevid = entry.idevidSHA256 {
                buffer.writeString("\",\"idevidSHA256\":\"")
                buffer.writeString(idevid)
            }
            buffer.writeString("\"}\n")
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(reader: Result { try RegistrationFileReader(file) }, onProgress: onProgress)
    }
}

/// How far something is, on standard error: a bar on a terminal, a line each tenth elsewhere.
final class ProgressLine: Sendable {
    private static let barWidth = 30
    private static let pause: Duration = .milliseconds(100)

    private struct State {
        var tenth = 0
        var shownAt: ContinuousClock.Instant?
    }

    private let what: String
    private let octets: Int
    private let began = ContinuousClock.now
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())

    init(_ what: String, octets: Int) {
        self.what = what
        self.octets = max(1, octets)
    }

    @Sendable func update(_ done: Int) {
        let share = min(1, Double(done) / Double(octets))
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            if isTerminal {
                if let shown = state.shownAt, now - shown < Self.pause { return false }
                state.shownAt = now
                return true
            }
            let tenth = Int(share * 10)
            guard tenth > state.tenth else { return false }
            state.tenth = tenth
            return true
        }
        guard isDue else { return }
        let percent = Int(share * 100)
        guard isTerminal else { return CommandOutput.note("\(what): \(percent) %") }
        let filled = Int(share * Double(Self.barWidth))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.barWidth - filled)
        let seconds = Double((now - began).components.seconds)
        let left = share > 0.02 ? ", \(Int(seconds / share - seconds)) s left" : ""
        FileHandle.standardError.write(Data("\r\u{1B}[2K\(what) \(bar) \(percent) %\(left)".utf8))
    }

    func end() {
        if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[2K".utf8)) }
    }
}
