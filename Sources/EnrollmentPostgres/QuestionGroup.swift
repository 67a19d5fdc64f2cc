import DequeModule
import Enrollment
package import Logging
package import Postgres
import ServiceLifecycle

/// Asks the record in groups what it knows of devices that enroll: a query for each would cost server and database a
/// round trip for each.
package final class QuestionGroup: Service {
    package static let groupMax = 64

    private let pool: PostgresPool
    private let waiting: WaitingGroup<EnrollmentQuestion, EnrollmentSituation>
    private let logger: Logger

    /// - Parameters:
    ///   - waitingMax: How many questions may wait; more are refused as overload.
    ///   - onFull: Told of each that was; must not wait.
    package init(
        pool: PostgresPool,
        waitingMax: Int = CommitGroup.waitingMaxDefault,
        onFull: @escaping @Sendable () -> Void = {},
        logger: Logger
    ) {
        self.pool = pool
        self.logger = logger
        waiting = WaitingGroup(waitingMax: waitingMax, onFull: onFull)
    }

    func situation(of question: EnrollmentQuestion) async throws(RecordError) -> EnrollmentSituation {
        try await waiting.answer(to: question)
    }

    /// Asks until cancelled; then whatever still waits is refused. In a service group it comes before the fronts, so that
    /// it ends after the last request has been answered.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.waiting.run(
                take: { waiting in
                    let group = Array(waiting.prefix(Self.groupMax))
                    waiting.removeFirst(group.count)
                    return group
                },
                perform: { await self.ask($0) }
            )
        }
    }

    private func ask(_ group: [WaitingGroup<EnrollmentQuestion, EnrollmentSituation>.Waiting]) async {
        let query = SituationQuery(questions: group.map(\.request))
        do {
            let answers = try await recording { try query.situations(await pool.query(query.query)) }
            for (one, answer) in zip(group, answers) { one.continuation.resume(returning: .success(answer)) }
        } catch .broken(let why) where group.count > 1 {
            // One question that the record cannot answer must not take its neighbours down.
            logger.error("a group of questions failed; asking one by one", metadata: ["error": "\(why)"])
            for one in group { await ask([one]) }
        } catch {
            for one in group { one.continuation.resume(returning: .failure(error)) }
        }
    }
}
