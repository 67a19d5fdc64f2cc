import Foundation
import Glibc

/// What every exporter says of its process, by the names that Prometheus' client libraries agreed on; from `/proc`.
struct ProcessMetrics {
    static let cpu = MetricDescription.counter(
        "process_cpu_seconds_total",
        unit: .seconds,
        help: "Processor time used, of user and system. A rate near the number of cores means that they are the limit."
    )
    static let residentMemory = MetricDescription.gauge(
        "process_resident_memory_bytes",
        unit: .bytes,
        help: "Memory that the process holds. If it rises without end, the kernel will kill the process."
    )
    static let virtualMemory = MetricDescription.gauge(
        "process_virtual_memory_bytes",
        unit: .bytes,
        help: "Address space of the process, most of it not in memory."
    )
    static let openDescriptors = MetricDescription.gauge(
        "process_open_fds",
        help: "Open file descriptors: connections, most of all. Near process_max_fds, new connections are refused."
    )
    static let descriptorsMax = MetricDescription.gauge(
        "process_max_fds",
        help: "How many file descriptors the process may open; raise LimitNOFILE or ulimit -n if they are used up."
    )
    static let startTime = MetricDescription.gauge(
        "process_start_time_seconds",
        unit: .seconds,
        help: "When the process started, in seconds since 1970. If it changes without a release, look for a crash."
    )
    static let descriptions = [cpu, residentMemory, virtualMemory, openDescriptors, descriptorsMax, startTime]

    /// What could be read.
    private(set) var values: [MetricDescription: Double] = [:]

    /// The process that asks, now.
    static func now() -> ProcessMetrics {
        var metrics = ProcessMetrics(
            stat: text("/proc/self/stat"),
            systemStat: text("/proc/stat"),
            limits: text("/proc/self/limits"),
            ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))),
            pageSize: Double(sysconf(Int32(_SC_PAGESIZE)))
        )
        if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            // One of them is the folder that is being read.
            metrics.values[openDescriptors] = Double(max(open.count - 1, 0))
        }
        return metrics
    }

    /// - Parameters:
    ///   - stat: Of `/proc/<pid>/stat`; all texts are as proc(5) describes them.
    ///   - systemStat: Of `/proc/stat`.
    ///   - limits: Of `/proc/<pid>/limits`.
    ///   - ticksPerSecond: The unit of times in `stat`.
    ///   - pageSize: The unit of resident memory in `stat`, in bytes.
    init(stat: String, systemStat: String, limits: String, ticksPerSecond: Double, pageSize: Double) {
        // The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
        if let end = stat.lastIndex(of: ")") {
            // The first field after it is the third of proc(5).
            let fields = stat[stat.index(after: end)...].split(whereSeparator: \.isWhitespace).map { Double($0) }
            func field(_ number: Int) -> Double? { number - 3 < fields.count ? fields[number - 3] : nil }
            if let user = field(14), let system = field(15) { values[Self.cpu] = (user + system) / ticksPerSecond }
            values[Self.virtualMemory] = field(23)
            values[Self.residentMemory] = field(24).map { $0 * pageSize }
            if let started = field(22), let booted = Self.line("btime", of: systemStat)?.first.flatMap({ Double($0) }) {
                values[Self.startTime] = booted + started / ticksPerSecond
            }
        }
        if let soft = Self.line("Max open files", of: limits)?.first {
            values[Self.descriptorsMax] = soft == "unlimited" ? .infinity : Double(soft)
        }
    }

    /// The words after `start` on the line that starts with it.
    private static func line(_ start: String, of text: String) -> [Substring]? {
        text.split(separator: "\n").first { $0.hasPrefix(start + " ") }?.dropFirst(start.count)
            .split(separator: " ")
    }

    /// A file of `/proc`; empty if it cannot be read, since a scrape shows what there is.
    private static func text(_ path: String) -> String {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }
}
