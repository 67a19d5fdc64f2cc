import Enrollment
import Foundation
import OperatorAPI
import PKI

/// How far revocations have come, and the agents that put them in force.
extension OperatorOperations {
    func getRevocation(_ call: OperatorCall) async throws -> OperatorAnswer {
        let device = try call.device()
        guard let progress = try await record.progress.progress(of: device, fleet: fleet(call)) else {
            throw API.Problem.notFound(
                "device-not-revoked",
                "no device \(device) of the fleet \(try call.fleetName()) is revoked or on hold"
            )
        }
        return try .json(API.RevocationProgress(progress, device: device))
    }

    func listAgents(_ call: OperatorCall) async throws -> OperatorAnswer {
        try ListingPage(try await record.agents.agents(of: fleet(call)), of: call, by: \.device)
            .answer(API.Agent.init) { ListingCursor(call, text: $0.device) }
    }
}

extension API.RevocationProgress {
    init(_ progress: RevocationProgress, device: DeviceID) {
        self.init(
            device: device.text,
            reason: progress.reason.rawValue,
            at: progress.at,
            changedAt: progress.changedAt,
            isComplete: progress.isComplete,
            steps: progress.steps.map { step in
                Step(stage: step.stage.rawValue, place: step.place, isReached: step.isReached, at: step.at)
            }
        )
    }
}

extension API.Agent {
    init(_ entry: AgentEntry) {
        self.init(
            device: entry.device,
            reportedAt: entry.reportedAt,
            trustStoreVersion: entry.trustStoreVersion,
            lists: entry.lists.map { list in
                List(authoritySHA256: Hex.text(list.authoritySHA256), number: list.number, inForceAt: list.inForceAt)
            },
            endsSessions: entry.sessionsThrough != nil,
            faults: entry.faults
        )
    }
}
