import NIOCore

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

/// Plays a plan on one event loop, on which all of its state lives.
final class LoadRun: @unchecked Sendable {
    // Unchecked: after `start`, everything below is touched on `loop` alone.
    private let plan: LoadPlan
    private let endpoint: LoopbackEndpoint
    private let server: ServerProcess
    private let loop: any EventLoop
    private let verified = VerifiedServer()
    private let done: EventLoopPromise<LoadReport>

    private var next = 0
    private var open = 0
    private var answers = 0
    private var total = 0
    private var tally = LoadTally()
    private let pace: LoadPace

    init(
        _ plan: LoadPlan,
        endpoint: LoopbackEndpoint,
        server: ServerProcess,
        on loop: any EventLoop
    ) {
        self.plan = plan
        self.endpoint = endpoint
        self.server = server
        self.loop = loop
        pace = LoadPace(plan.rate, on: loop)
        done = loop.makePromise()
        total = plan.connections.reduce(0) { $0 + $1.requests.count }
    }

    func start() async throws -> LoadReport {
        loop.execute {
            do {
                if self.plan.warmup == 0 { try self.tally.begin(self.server) }
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
            guard let due = pace.due(next, again: { self.fill() }) else { return }
            play(plan.connections[next], since: due)
            next += 1
        }
    }

    private func play(_ connection: BenchFleet.Connection, since due: NIODeadline) {
        open += 1
        var since = due
        _ = LoadConnection.open(
            connection,
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
        tally.count(status, took: .nanoseconds(took.nanoseconds))
        do {
            if answers == plan.warmup { try tally.begin(server) }
            if answers == total { done.succeed(try tally.report(server)) }
        } catch {
            done.fail(error)
        }
    }
}
