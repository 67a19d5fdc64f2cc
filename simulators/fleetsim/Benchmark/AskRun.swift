import NIOCore

/// Questions that a measurement asks over connections that stay open.
struct AskPlan: Sendable {
    struct Question: Sendable {
        /// A whole HTTP request.
        let request: ByteBuffer
        /// What stands in its answer, or it is not the one that was asked for.
        let mark: [UInt8]
    }

    let questions: [Question]
    /// Questions at the beginning that do not count.
    let warmup: Int
    /// Questions that are due in a second, by the clock; nil as fast as they are answered.
    let rate: Double?
}

/// Asks the questions of a plan, each on whatever connection is free, on the connections' event loop.
final class AskRun: @unchecked Sendable {
    // Unchecked: after `start`, everything below is touched on `loop` alone.
    private let plan: AskPlan
    private let server: ServerProcess
    private let loop: any EventLoop
    private let done: EventLoopPromise<LoadReport>

    private var free: [KeptConnection]
    /// Connections that are not lost.
    private var living: Int
    private var next = 0
    private var answers = 0
    private var tally = LoadTally()
    private let pace: LoadPace

    /// - Parameter connections: Of `loop`.
    init(_ plan: AskPlan, over connections: [KeptConnection], server: ServerProcess, on loop: any EventLoop) {
        self.plan = plan
        free = connections
        living = connections.count
        self.server = server
        self.loop = loop
        pace = LoadPace(plan.rate, on: loop)
        done = loop.makePromise()
    }

    func start() async throws -> LoadReport {
        loop.execute {
            do {
                if self.plan.warmup == 0 { try self.tally.begin(self.server) }
            } catch {
                return self.done.fail(error)
            }
            self.askNext()
        }
        return try await done.futureResult.get()
    }

    /// Asks what is due, as far as there are free connections.
    private func askNext() {
        while next < plan.questions.count, !free.isEmpty {
            guard let due = pace.due(next, again: { self.askNext() }) else { return }
            next += 1
            ask(plan.questions[next - 1], over: free.removeLast(), since: due)
        }
    }

    private func ask(_ question: AskPlan.Question, over connection: KeptConnection, since due: NIODeadline) {
        connection.ask(question.request).assumeIsolated().whenComplete { result in
            let took = Duration.nanoseconds((.now() - due).nanoseconds)
            switch result {
            case .success(let answer):
                self.free.append(connection)
                let isRight = answer.body.firstRange(of: question.mark) != nil
                self.answered(answer.status, took: took, isRight: isRight)
            case .failure(let error):
                self.living -= 1
                guard self.living > 0 else { return self.done.fail(error) }
                self.answered(nil, took: took, isRight: false)
            }
        }
    }

    private func answered(_ status: Int?, took: Duration, isRight: Bool) {
        answers += 1
        tally.count(status, took: took, isRight: isRight)
        do {
            if answers == plan.warmup { try tally.begin(server) }
            if answers == plan.questions.count { return done.succeed(try tally.report(server)) }
        } catch {
            done.fail(error)
        }
        askNext()
    }
}
