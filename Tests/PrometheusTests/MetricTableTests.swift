import Prometheus
import Testing

/// A table that would be written wrongly is refused when the program starts.
struct MetricTableTests {
    @Test(arguments: [
        (MetricDescription.counter("done", help: "x"), MetricTableProblem.name("done")),
        (.gauge("done_total", help: "x"), .name("done_total")),
        (.gauge("size_count", help: "x"), .name("size_count")),
        (.gauge("two words", help: "x"), .name("two words")),
        (.gauge("", help: "x"), .name("")),
        (.gauge("age", unit: .seconds, help: "x"), .unit("age", .seconds)),
        (.counter("read_total", unit: .bytes, help: "x"), .unit("read_total", .bytes)),
        (.gauge("age", help: ""), .help("age")),
        (.gauge("age", labels: ["a-b"], help: "x"), .label("a-b", metric: "age")),
        (.gauge("age", labels: ["le"], help: "x"), .label("le", metric: "age")),
        (.gauge("age", labels: ["__a"], help: "x"), .label("__a", metric: "age")),
        (.gauge("age", labels: ["a", "a"], help: "x"), .label("a", metric: "age")),
        (.histogram("size", buckets: [], help: "x"), .buckets("size")),
        (.histogram("size", buckets: [1, 1], help: "x"), .buckets("size")),
        (.histogram("size", buckets: [2, 1], help: "x"), .buckets("size")),
        (.histogram("size", buckets: [1, .infinity], help: "x"), .buckets("size")),
        (.gauge("process_open_fds", help: "x"), .taken("process_open_fds")),
    ])
    func `A metric that Prometheus would misread is named with what to do`(
        description: MetricDescription,
        problem: MetricTableProblem
    ) {
        #expect(throws: problem) { try PrometheusMetrics([description]) }
        #expect(!"\(problem)".isEmpty)
    }

    @Test
    func `Two metrics of one name, or of which one writes the other's samples, are refused`() {
        #expect(throws: MetricTableProblem.taken("a")) {
            try PrometheusMetrics([.gauge("a", help: "x"), .gauge("a", help: "y")])
        }
    }
}
