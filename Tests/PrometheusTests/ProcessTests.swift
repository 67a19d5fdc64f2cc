import Foundation
import Prometheus
import Testing

/// The process as every exporter shows it.
@Suite(.timeLimit(.minutes(10)))
struct ProcessTests {
    @Test
    func `A scrape tells of the process what the system tells of it`() throws {
        let read = try ExpositionGrammar(PrometheusMetrics([]).render())
        let cpu = try #require(read.value("process_cpu_seconds_total"))
        let resident = try #require(read.value("process_resident_memory_bytes"))
        let virtual = try #require(read.value("process_virtual_memory_bytes"))
        let started = try #require(read.value("process_start_time_seconds"))
        let open = try #require(read.value("process_open_fds"))
        let openMax = try #require(read.value("process_max_fds"))
        #expect(cpu > 0)
        #expect((1_000_000...virtual).contains(resident))
        #expect(open >= 3)
        #expect(open <= openMax)
        // Begun before now, and not before this computer was.
        let now = Date().timeIntervalSince1970
        #expect(started <= now + 1)
        #expect(started >= now - ProcessInfo.processInfo.systemUptime - 2)
        #expect(read.family("process_cpu_seconds_total")?.type == "counter")
        #expect(read.family("process_open_fds")?.type == "gauge")
    }

    @Test
    func `A file that is opened is counted`() throws {
        let metrics = try PrometheusMetrics([])
        // More than the tests beside this one may close meanwhile.
        let files = try (0..<200).map { _ in try FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/null")) }
        let during = try #require(ExpositionGrammar(metrics.render()).value("process_open_fds"))
        for file in files { try file.close() }
        #expect(during >= 200)
    }
}
