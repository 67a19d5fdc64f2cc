import NIOCore
import NIOSSL

/// What a measurement plays.
struct LoadPlan: Sendable {
    let connections: [BenchFleet.Connection]
    /// Enrollments at the beginning that do not count.
    let warmup: Int
    /// The most connections at once.
    let concurrency: Int
    /// Enrollments that begin in a second; nil as fast as they go.
    let rate: Double?
}

/// What a measurement found.
struct LoadReport: Encodable, Sendable {
    var mode = ""
    var held = 0
    let enrolled: Int
    let failed: Int
    let seconds: Double
    let perSecond: Double
    /// The server's CPU time for one enrollment, in milliseconds.
    let cpuMilliseconds: Double
    let cpuUserMilliseconds: Double
    let cpuSystemMilliseconds: Double
    /// From the first packet (at a rate: from the moment when it was due) to the whole answer.
    let p50Milliseconds: Double
    let p90Milliseconds: Double
    let p99Milliseconds: Double
    let maxMilliseconds: Double
    let serverPeakBytes: Int
    /// How often each status came; "none" where there was no answer.
    let statuses: [String: Int]
}

/// Plays a plan on one event loop, on which all of its state lives.
final class LoadRun: @unchecked Sendable {
    // Unchecked: after `start`, everything below is touched on `loop` alone.
    private let plan: LoadPlan
    private let fleet: BenchFleet
    private let endpoint: LoopbackEndpoint
    private let server: ServerProcess
    private let loop: any EventLoop
    private let verified = VerifiedServer()
    private let done: EventLoopPromise<LoadReport>

    private var next = 0
    private var open = 0
    /// True while a connection waits for its moment.
    private var isWaiting = false
    private var answers = 0
    private var total = 0
    private var failed = 0
    private var statuses: [String: Int] = [:]
    private var latencies = LatencyHistogram()
    private var began: (at: NIODeadline, cpu: ServerProcess.Time)?
    private let origin = NIODeadline.now()

    init(
        _ plan: LoadPlan,
        fleet: BenchFleet,
        endpoint: LoopbackEndpoint,
        server: ServerProcess,
        on loop: any EventLoop
    ) {
        self.plan = plan
        self.fleet = fleet
        self.endpoint = endpoint
        self.server = server
        self.loop = loop
        done = loop.makePromise()
        total = plan.connections.reduce(0) { $0 + $1.requests.count }
    }

    func start() async throws -> LoadReport {
        loop.execute {
            do {
                if self.plan.warmup == 0 { self.began = (.now(), try self.server.time()) }
            } catch {
                return self.done.fail(error)
            }
            self.fill()
        }
        return try await done.futureResult.get()
    }

    /// Opens what may be open now.
    private func fill() {
        while open < plan.concurrency, next < plan.connections.count {
            var due = NIODeadline.now()
            if let rate = plan.rate {
                due = origin + .nanoseconds(Int64(Double(next) * 1e9 / rate))
                if due > .now() {
                    guard !isWaiting else { return }
                    isWaiting = true
                    loop.assumeIsolated().scheduleTask(deadline: due) {
                        self.isWaiting = false
                        self.fill()
                    }
                    return
                }
            }
            play(plan.connections[next], since: due)
            next += 1
        }
    }

    private func play(_ connection: BenchFleet.Connection, since due: NIODeadline) {
        open += 1
        var since = due
        let context: NIOSSLContext
        do {
            context = try fleet.context(connection.credential)
        } catch {
            return done.fail(error)
        }
        _ = LoadConnection.open(
            connection,
            context: context,
            endpoint: endpoint,
            server: verified,
            on: loop,
            onAnswer: { status in
                self.answered(status, took: .now() - since)
                since = .now()
            },
            onEnd: {
                self.open -= 1
                self.fill()
            }
        )
    }

    private func answered(_ status: Int?, took: TimeAmount) {
        answers += 1
        if began != nil {
            statuses[status.map { "\($0)" } ?? "none", default: 0] += 1
            if status == 200 {
                latencies.record(.nanoseconds(took.nanoseconds))
            } else {
                failed += 1
            }
        }
        do {
            if answers == plan.warmup { began = (.now(), try server.time()) }
            if answers == total { done.succeed(try report()) }
        } catch {
            done.fail(error)
        }
    }

    private func report() throws -> LoadReport {
        let cpu = try server.time()
        guard let began else { throw SimulatorError.devFile("the measurement ended before it began") }
        let seconds = Double((NIODeadline.now() - began.at).nanoseconds) / 1e9
        let count = Double(max(latencies.count, 1))
        let user = (cpu.user - began.cpu.user) / count
        let system = (cpu.system - began.cpu.system) / count
        func milliseconds(_ fraction: Double) -> Double { latencies.percentile(fraction)?.milliseconds ?? 0 }
        return LoadReport(
            enrolled: latencies.count,
            failed: failed,
            seconds: seconds,
            perSecond: count / seconds,
            cpuMilliseconds: user + system,
            cpuUserMilliseconds: user,
            cpuSystemMilliseconds: system,
            p50Milliseconds: milliseconds(0.5),
            p90Milliseconds: milliseconds(0.9),
            p99Milliseconds: milliseconds(0.99),
            maxMilliseconds: latencies.max.milliseconds,
            serverPeakBytes: try server.peakMemory(),
            statuses: statuses
        )
    }
}
