import Enrollment
package import Logging
package import Postgres
import ServiceLifecycle

/// Asks the record in groups what it knows of devices that enroll: a query for each would cost server and database a
/// round trip for each.
package final class QuestionGroup: Service {
    package static let groupMax = 64
    /// A group of few costs nearly what one of many does, and takes little of the time that a device waits for its commit.
    static let rest = GroupRest(times: 8, max: .milliseconds(12))

    private let pool: PostgresPool
    private let waiting: WaitingGroup<EnrollmentQuestion, EnrollmentSituation>
    private let clock: any Clock<Duration>
    private let logger: Logger

    /// - Parameters:
    ///   - waitingMax: How many questions may wait; more are refused as overload.
    ///   - onFull: Told of each that was; must not wait.
    ///   - clock: Ends the rests between groups.
    package init(
        pool: PostgresPool,
        waitingMax: Int = CommitGroup.waitingMaxDefault,
        onFull: @escaping @Sendable () -> Void = {},
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger
    ) {
        self.pool = pool
        self.clock = clock
        self.logger = logger
        waiting = WaitingGroup(waitingMax: waitingMax, onFull: onFull)
    }

    func situation(of question: EnrollmentQuestion) async throws(RecordError) -> EnrollmentSituation {
        try await waiting.answer(to: question)
    }

    /// Asks until cancelled; then whatever still waits is refused. In a service group it comes before the fronts, so that
    /// it ends after the last request has been answered.
    package func run() async throws {
        let pool = pool
        await waiting.run(groupMax: Self.groupMax, rest: Self.rest, clock: clock, logger: logger) {
            questions throws(RecordError) in
            let query = SituationQuery(questions: questions)
            return try await recording { try query.situations(await pool.query(query.query)) }
        }
    }
}
