import CoreMetrics
import Prometheus
import Testing

/// What is recorded is what is shown.
@Suite(.timeLimit(.minutes(10)))
struct RecordingTests {
    static let table = [
        MetricDescription.counter("done_total", labels: ["who"], help: "Done."),
        .gauge("level", help: "Level."),
        .histogram("took_seconds", unit: .seconds, buckets: [0.001, 0.5, 1], help: "Took."),
        .histogram("size", buckets: [1, 2, 4], labels: ["of"], help: "Size."),
    ]

    /// A value, and how many of the buckets 1, 2, 4 and +Inf hold it.
    static let edges: [(Double, [Double])] = [
        (0, [1, 1, 1, 1]), (1, [1, 1, 1, 1]), (1.0001, [0, 1, 1, 1]), (2, [0, 1, 1, 1]), (4, [0, 0, 1, 1]),
        (4.5, [0, 0, 0, 1]), (-1, [1, 1, 1, 1]),
    ]

    @Test(arguments: edges)
    func `A value on a bound belongs to it; each bucket holds those below`(
        value: Double,
        counts: [Double]
    ) throws {
        let metrics = try PrometheusMetrics(Self.table)
        Recorder(label: "size", dimensions: [("of", "x")], factory: metrics).record(value)
        let read = try ExpositionGrammar(metrics.render())
        #expect(["1", "2", "4", "+Inf"].map { read.value("size_bucket", ["of": "x", "le": $0]) } == counts)
        #expect(read.value("size_sum", ["of": "x"]) == value)
        #expect(read.value("size_count", ["of": "x"]) == 1)
    }

    @Test
    func `A timer shows seconds, whatever it was given`() throws {
        let metrics = try PrometheusMetrics(Self.table)
        let timer = Timer(label: "took_seconds", factory: metrics)
        timer.recordNanoseconds(500_000_000)
        timer.recordMicroseconds(1_000)
        timer.recordMilliseconds(501)
        timer.record(duration: .milliseconds(3_000))
        let read = try ExpositionGrammar(metrics.render())
        #expect(["0.001", "0.5", "1", "+Inf"].map { read.value("took_seconds_bucket", ["le": $0]) } == [1, 2, 3, 4])
        #expect(abs((read.value("took_seconds_sum") ?? 0) - 4.002) < 1e-9)
    }

    @Test
    func `What is not a number does not spoil a histogram or a counter, and a counter never falls`() throws {
        let metrics = try PrometheusMetrics(Self.table)
        let recorder = Recorder(label: "size", dimensions: [("of", "x")], factory: metrics)
        for value in [Double.nan, .infinity, -.infinity, 2] { recorder.record(value) }
        let fractions = FloatingPointCounter(label: "done_total", dimensions: [("who", "x")], factory: metrics)
        for value in [Double.nan, .infinity, -4, 1.5] { fractions.increment(by: value) }
        let counter = Counter(label: "done_total", dimensions: [("who", "x")], factory: metrics)
        counter.increment(by: -7)
        counter.increment(by: 2)
        let read = try ExpositionGrammar(metrics.render())
        #expect(read.value("size_count", ["of": "x"]) == 1)
        #expect(read.value("size_sum", ["of": "x"]) == 2)
        #expect(read.value("done_total", ["who": "x"]) == 3.5)
    }

    @Test
    func `Counts of many tasks at once add up`() async throws {
        let metrics = try PrometheusMetrics(Self.table)
        let (tasks, rounds) = (8, 50_000)
        let counter = Counter(label: "done_total", dimensions: [("who", "all")], factory: metrics)
        let level = Meter(label: "level", factory: metrics)
        let timer = Timer(label: "took_seconds", factory: metrics)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                // Each in a loop of its own, so that the tasks meet as often as they can.
                group.addTask {
                    for _ in 0..<rounds * 4 { counter.increment() }
                    for _ in 0..<rounds { level.increment(by: 2) }
                    for _ in 0..<rounds { level.decrement(by: 1) }
                    for round in 0..<rounds { timer.recordMilliseconds(round % 2 == 0 ? 250 : 750) }
                }
            }
        }
        let read = try ExpositionGrammar(metrics.render())
        let all = Double(tasks * rounds)
        #expect(read.value("done_total", ["who": "all"]) == all * 4)
        #expect(read.value("level") == all)
        #expect(read.value("took_seconds_bucket", ["le": "0.5"]) == all / 2)
        #expect(read.value("took_seconds_count") == all)
        #expect(read.value("took_seconds_sum") == all / 2)
    }

    @Test
    func `Handles that many tasks make of the same labels count together, while it is scraped`() async throws {
        let metrics = try PrometheusMetrics(Self.table)
        let (tasks, rounds) = (16, 500)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    for round in 0..<rounds {
                        Counter(label: "done_total", dimensions: [("who", "\(round)")], factory: metrics).increment()
                    }
                }
            }
            group.addTask { for _ in 0..<10 { _ = metrics.render() } }
        }
        let samples = try #require(ExpositionGrammar(metrics.render()).family("done_total")).samples
        #expect(samples.count == rounds)
        #expect(samples.allSatisfy { $0.value == Double(tasks) })
    }

    @Test
    func `In each scrape, a histogram's count is the count of its last bucket, while tasks record`() async throws {
        let metrics = try PrometheusMetrics(Self.table)
        let texts = await withTaskGroup(of: [String].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let timer = Timer(label: "took_seconds", factory: metrics)
                    for _ in 0..<5_000 { timer.recordMilliseconds(250) }
                    return []
                }
            }
            group.addTask { (0..<20).map { _ in metrics.render() } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(texts.count == 20)
        for text in texts {
            let read = try ExpositionGrammar(text)
            let count = read.value("took_seconds_count")
            #expect(count == read.value("took_seconds_bucket", ["le": "+Inf"]))
            #expect(read.value("took_seconds_sum") == count.map { $0 / 4 })
        }
    }

    @Test
    func `A series that is destroyed is shown no more, and starts anew when it is made again`() throws {
        let metrics = try PrometheusMetrics(Self.table)
        let first = Counter(label: "done_total", dimensions: [("who", "x")], factory: metrics)
        first.increment(by: 5)
        first.destroy()
        #expect(try ExpositionGrammar(metrics.render()).family("done_total") == nil)
        let second = Counter(label: "done_total", dimensions: [("who", "x")], factory: metrics)
        second.increment()
        // The old handle is of a series that is gone, and does not take the new one with it.
        first.destroy()
        #expect(try ExpositionGrammar(metrics.render()).value("done_total", ["who": "x"]) == 1)
    }

    @Test
    func `A gauge is what a Gauge or a Recorder of it saw last`() throws {
        let metrics = try PrometheusMetrics(Self.table)
        Gauge(label: "level", factory: metrics).record(4)
        Recorder(label: "level", factory: metrics).record(3)
        #expect(try ExpositionGrammar(metrics.render()).value("level") == 3)
    }
}
