import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

/// Measures, and asserts only that it works; runs when MUSTER_MEASURE is set.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["MUSTER_MEASURE"] != nil), .serialized)
struct CommitSpeed {
    private static let count = 3_200

    /// What lets the devices in.
    enum Admitting: String, CaseIterable, Sendable {
        case uncounted, byIDevID, byClaim, byLimitedClaim

        func draft(_ draft: EntryDraft, number: Int) -> EntryDraft {
            let limits = BootstrapLimits(devicesMax: 1_000_000, devicesPerHour: 1_000_000)
            return switch self {
            case .uncounted: draft
            case .byIDevID: draft.byIDevID(UInt8(truncatingIfNeeded: number))
            case .byClaim: draft.byClaim()
            case .byLimitedClaim: draft.byClaim(anchorLimits: limits, credentialLimits: limits)
            }
        }
    }

    @Test(arguments: Admitting.allCases) func `commits and questions a second`(_ admitting: Admitting) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            let record = PostgresEnrollmentRecord(pool: database.server, commits: commits)
            let drafts = try (0..<Self.count).map { number in
                admitting.draft(try EntryDraft(world, device: "meter-\(number)"), number: number)
            }
            let entries = try drafts.map { try $0.issuing() }
            try await database.running(commits) {
                try await measure("commits of 64, \(admitting.rawValue)") {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for lane in 0..<128 {
                            group.addTask {
                                for index in stride(from: lane, to: entries.count, by: 128) {
                                    let outcome = try await record.commit(entries[index])
                                    #expect(outcome == .recorded)
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                try await measure("questions, one after the other, \(admitting.rawValue)") {
                    for draft in drafts {
                        let question = admitting == .uncounted ? try draft.question : try draft.bootstrapQuestion()
                        _ = try await record.situation(of: question)
                    }
                }
            }
        }
    }

    private func measure(_ what: String, _ body: () async throws -> Void) async throws {
        let started = ContinuousClock.now
        try await body()
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        print("MEASURED \(what): \(Int(Double(Self.count) / seconds)) a second")
    }
}
