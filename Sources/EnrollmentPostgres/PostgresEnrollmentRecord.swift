package import Enrollment
import Foundation
import PKI
package import Postgres

/// The record of enrollments in PostgreSQL: one query before a decision, one commit after it, both grouped with whatever
/// else waits.
package struct PostgresEnrollmentRecord: EnrollmentRecord {
    private enum Questions {
        case grouped(QuestionGroup)
        case alone(PostgresPool)
    }

    private let questions: Questions
    private let commits: CommitGroup

    /// For a server: both must be running, since questions and commits wait for them.
    package init(questions: QuestionGroup, commits: CommitGroup) {
        self.questions = .grouped(questions)
        self.commits = commits
    }

    /// With a query for each question, where few are asked.
    /// - Parameter commits: Must be running, since commits wait for it.
    package init(pool: PostgresPool, commits: CommitGroup) {
        questions = .alone(pool)
        self.commits = commits
    }

    package func situation(of question: EnrollmentQuestion) async throws(RecordError) -> EnrollmentSituation {
        switch questions {
        case .grouped(let group): return try await group.situation(of: question)
        case .alone(let pool):
            let query = SituationQuery(questions: [question])
            return try await recording {
                let answers = try query.situations(await pool.query(query.query))
                guard let answer = answers.first else { throw RecordError.broken("no row where one must be") }
                return answer
            }
        }
    }

    package func commit(_ entry: EnrollmentEntry) async throws(RecordError) -> CommitOutcome {
        try await commits.commit(entry)
    }
}
