import CoreMetrics
import Prometheus
import Testing

/// What a scrape reads, by a reader that shares nothing with the writer.
struct FormatTests {
    @Test
    func `Each kind of metric is written with its help, its type and its samples`() throws {
        let metrics = try PrometheusMetrics([
            .counter("orders_total", labels: ["shop"], help: "Orders taken."),
            .gauge("queue_length", help: "Who waits."),
            .histogram("answer_seconds", unit: .seconds, buckets: [0.1, 1], help: "Time of an answer."),
        ])
        Counter(label: "orders_total", dimensions: [("shop", "north")], factory: metrics).increment(by: 3)
        Meter(label: "queue_length", factory: metrics).set(2.5)
        let timer = Timer(label: "answer_seconds", factory: metrics)
        timer.recordMilliseconds(50)
        timer.recordSeconds(2)
        let expected = """
            # HELP answer_seconds Time of an answer.
            # TYPE answer_seconds histogram
            answer_seconds_bucket{le="0.1"} 1
            answer_seconds_bucket{le="1"} 1
            answer_seconds_bucket{le="+Inf"} 2
            answer_seconds_sum 2.05
            answer_seconds_count 2
            # HELP orders_total Orders taken.
            # TYPE orders_total counter
            orders_total{shop="north"} 3
            """
        let text = metrics.render()
        let own = text.split(separator: "\n").filter { !$0.contains("process_") && !$0.contains("queue_") }
        #expect(own.joined(separator: "\n") == expected)
        #expect(text.contains("# TYPE queue_length gauge\nqueue_length 2.5\n"))
        #expect(try ExpositionGrammar(text).family("orders_total")?.help == "Orders taken.")
    }

    @Test
    func `Any text is a label's value or a help, and comes back as it was`() throws {
        let odd = "\u{301}a\\b\"c\nd\\n\\\"é\u{1F600}\t{}=,\r\\"
        let metrics = try PrometheusMetrics([.gauge("odd", labels: ["text"], help: "x\\y\nz \"q\" \\n")])
        Meter(label: "odd", dimensions: [("text", odd)], factory: metrics).set(1)
        let read = try ExpositionGrammar(metrics.render())
        #expect(read.value("odd", ["text": odd]) == 1)
        #expect(read.family("odd")?.help == "x\\y\nz \"q\" \\n")
    }

    @Test
    func `Names that Prometheus would not take are made fit`() throws {
        let metrics = try PrometheusMetrics([])
        Counter(label: "http.requests-öffentlich", dimensions: [("status code", "200")], factory: metrics).increment()
        Counter(label: "2nd", dimensions: [("1", "x")], factory: metrics).increment()
        Counter(label: "", dimensions: [("", "y"), ("__name__", "z")], factory: metrics).increment()
        let timer = Timer(label: "took", dimensions: [("le", "mine")], factory: metrics)
        timer.recordMilliseconds(7)
        let read = try ExpositionGrammar(metrics.render())
        #expect(read.value("http_requests__ffentlich", ["status_code": "200"]) == 1)
        #expect(read.value("_2nd", ["_1": "x"]) == 1)
        #expect(read.value("_", ["_": "y", "exported___name__": "z"]) == 1)
        #expect(read.value("took_bucket", ["exported_le": "mine", "le": "0.005"]) == 0)
        #expect(read.value("took_bucket", ["exported_le": "mine", "le": "0.01"]) == 1)
    }

    @Test
    func `Two scrapes without a change between them are the same text, whatever order the handles were made in`() throws
    {
        let table = [
            MetricDescription.counter("b_total", labels: ["z", "a"], help: "B."),
            .gauge("a", labels: ["n"], help: "A."),
        ]
        let (one, other) = (try PrometheusMetrics(table), try PrometheusMetrics(table.reversed()))
        for n in 0..<50 { Meter(label: "a", dimensions: [("n", "\(n)")], factory: one).set(n) }
        for n in (0..<50).reversed() { Meter(label: "a", dimensions: [("n", "\(n)")], factory: other).set(n) }
        Counter(label: "b_total", dimensions: [("a", "1"), ("z", "2"), ("c", "3")], factory: one).increment()
        Counter(label: "b_total", dimensions: [("c", "3"), ("z", "2"), ("a", "1")], factory: other).increment()
        func own(_ metrics: PrometheusMetrics) -> [Substring] {
            metrics.render().split(separator: "\n").filter { !$0.contains("process_") }
        }
        #expect(own(one) == own(one))
        #expect(own(one) == own(other))
        #expect(own(one).contains(#"b_total{z="2",a="1",c="3"} 1"#))
    }

    @Test(arguments: [
        (0.0, "0"), (-3, "-3"), (0.25, "0.25"), (1e-7, "1e-07"), (1e300, "1e+300"), (.infinity, "+Inf"),
        (-.infinity, "-Inf"), (.nan, "NaN"), (1_700_000_000, "1700000000"),
    ])
    func `A gauge is any number, in Prometheus' spelling`(value: Double, spelling: String) throws {
        let metrics = try PrometheusMetrics([.gauge("level", help: "A level.")])
        Meter(label: "level", factory: metrics).set(value)
        let text = metrics.render()
        _ = try ExpositionGrammar(text)
        #expect(text.contains("\nlevel \(spelling)\n"))
    }

    @Test
    func `A described metric without labels is there from the start, a gauge once it is set`() throws {
        let metrics = try PrometheusMetrics([
            .counter("done_total", help: "Done."), .gauge("level", help: "Level."),
            .histogram("size", buckets: [1], help: "Size."), .counter("by_total", labels: ["who"], help: "By."),
        ])
        let read = try ExpositionGrammar(metrics.render())
        #expect(read.value("done_total") == 0)
        #expect(read.value("size_count") == 0)
        #expect(read.family("level") == nil)
        #expect(read.family("by_total") == nil)
    }

    @Test(arguments: [
        "a{b=c} 1", "a{b=\"c} 1", "a{b=\"c\",} 1", "a{b=\"\\x\"} 1", "a  1", "a 1 ", "a one", "b 1",
        "a{b=\"c\"b=\"d\"} 1",
    ])
    func `The reader of these tests refuses what is not the format`(line: String) {
        #expect(throws: ExpositionGrammar.Fault.self) {
            try ExpositionGrammar("# HELP a A.\n# TYPE a gauge\n\(line)\n")
        }
    }
}
