import Enrollment
import Foundation
import OperatorAPI
import PKI

/// Fleets: read, and brought to what an operator wrote down.
extension OperatorOperations {
    func listFleets(_ call: OperatorCall) async throws -> OperatorAnswer {
        try ListingPage(try await record.fleets.fleets(), of: call, by: \.name.text).answer { fleet in
            API.FleetSummary(
                fleet: fleet.name.text,
                policy: fleet.policy.rawValue,
                issuer: fleet.issuerName,
                anchors: fleet.anchors.map(\.name).sorted()
            )
        } end: {
            ListingCursor(call, text: $0.name.text)
        }
    }

    func getFleet(_ call: OperatorCall) async throws -> OperatorAnswer {
        let name = try call.fleetName()
        guard let fleet = try await present(name) else { throw Self.noFleet(name) }
        return try .json(FleetDescription(fleet))
    }

    func applyFleet(_ call: OperatorCall) async throws -> OperatorAnswer {
        let name = try call.fleetName()
        let isDryRun = try call.query.flag("dryRun")
        let description = try call.decode(FleetDescription.self)
        let plan = try FleetPlanReading.plan(description, name: name, issuers: issuers, now: call.at)
        let present = try await present(name)
        let changes = FleetDifference.lines(from: present.map(FleetDescription.init), to: FleetDescription(plan))
        guard !changes.isEmpty, !isDryRun else {
            return try .json(
                API.FleetChange(fleet: name.text, isNew: present == nil, isApplied: false, changes: changes)
            )
        }
        let isNew = try await record.administration.apply(plan, actor: call.actor)
        // RFC 9110 section 9.3.4: 201 tells that it was not there before.
        return try .json(
            API.FleetChange(fleet: name.text, isNew: isNew, isApplied: true, changes: changes),
            status: isNew ? 201 : 200
        )
    }

    private func present(_ name: FleetName) async throws -> FleetRecord? {
        try await record.fleets.fleets().first { $0.name == name }
    }
}
