import Enrollment
import Foundation
import OperatorAPI
import PKI
import SwiftASN1
import X509

/// Carries out the operations: each case of the table leads to one method, in the file of its subject.
struct OperatorOperations: Sendable {
    let record: OperatorRecord
    /// Those whose keys this server holds.
    let issuers: [IssuerRegistration]
    let authority: OperatorAuthority
    let importTimeout: Duration

    /// The description of the API, as it is compiled in.
    static let openAPI = OperatorAnswer(
        status: 200,
        contentType: "application/yaml",
        body: PackageResources.openapi_yaml
    )

    func answer(_ call: OperatorCall) async throws -> OperatorAnswer {
        switch call.operation {
        case .getOpenAPI: Self.openAPI
        case .getSelf: try await caller(call)
        case .listFleets: try await listFleets(call)
        case .getFleet: try await getFleet(call)
        case .applyFleet: try await applyFleet(call)
        case .listAnchors: try await listAnchors(call)
        case .blockAnchor: try await setBlock(ofAnchor: call, isBlocked: true)
        case .unblockAnchor: try await setBlock(ofAnchor: call, isBlocked: false)
        case .listCredentials: try await listCredentials(call)
        case .getCredential: try await getCredential(call)
        case .blockCredential: try await change(call, .block(comment: call.comment()))
        case .unblockCredential: try await unblockCredential(call)
        case .clearCredential: try await clearCredential(call)
        case .limitCredential: try await limitCredential(call)
        case .listRegistrations: try await listRegistrations(call)
        case .getRegistration: try await getRegistration(call)
        case .putRegistration: try await putRegistration(call)
        case .removeRegistration: try await removeRegistration(call)
        case .importRegistrations: try await importRegistrations(call)
        case .listApprovals: try await listApprovals(call)
        case .getApproval: try await getApproval(call)
        case .approve: try await decide(call, approve: true)
        case .reject: try await decide(call, approve: false)
        case .listDevices: try await listDevices(call)
        case .getDevice: try await getDevice(call)
        case .listDeviceCertificates: try await listDeviceCertificates(call)
        case .revokeDevice: try await revokeDevice(call)
        case .releaseDevice: try await releaseDevice(call)
        case .clearDevice: try await clearDevice(call)
        case .previewRevocations: try await previewRevocations(call)
        case .getRevocation: try await getRevocation(call)
        case .listAgents: try await listAgents(call)
        case .requestRevocations: try await requestRevocations(call)
        case .listRevocationRequests: try await listRevocationRequests(call)
        case .getRevocationRequest: try await getRevocationRequest(call)
        case .approveRevocations: try await approveRevocations(call)
        case .listAttempts: try await listAttempts(call)
        case .getAttempt: try await getAttempt(call)
        case .listIssuers: try await listIssuers(call)
        case .getIssuer: try await getIssuer(call)
        case .getTrustStore: try await getTrustStore(call)
        case .publishTrustStore: try await publishTrustStore(call)
        case .listOperators: try await listOperators(call)
        case .addOperator: try await addOperator(call)
        case .removeOperator: try await removeOperator(call)
        case .listAudit: try await listAudit(call)
        case .verifyAudit: try await verifyAudit(call)
        }
    }

    private func caller(_ call: OperatorCall) async throws -> OperatorAnswer {
        try .json(
            API.Caller(
                name: call.caller.name,
                role: API.Role(call.caller.role),
                by: call.caller.by.rawValue,
                revocationsLeft: await record.revocationRequests.allowance(of: call.actor, at: call.at)
            )
        )
    }

    /// The record's key of the fleet in the path.
    func fleet(_ call: OperatorCall) async throws -> FleetID { try await fleet(call.fleetName()) }

    func fleet(_ name: FleetName) async throws -> FleetID {
        guard let fleet = try await record.devices.fleet(name) else { throw Self.noFleet(name) }
        return fleet
    }

    static func noFleet(_ name: FleetName) -> API.Problem { .notFound("fleet-unknown", "there is no fleet \(name)") }

    static func pem(_ der: [UInt8]) -> String {
        PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: der).pemString + "\n"
    }
}

/// A page of a listing that the record gives in pages: asked for one more than fits, it tells whether there is another.
struct ListingPage<Entry: Sendable>: Sendable {
    let entries: [Entry]
    let hasMore: Bool

    init(_ found: [Entry], limit: Int) {
        entries = Array(found.prefix(limit))
        hasMore = found.count > limit
    }

    /// - Parameter end: The cursor after the last entry.
    func answer<Item: Codable & Sendable>(
        _ item: (Entry) throws -> Item,
        end: (Entry) -> ListingCursor
    ) throws -> OperatorAnswer {
        try .json(
            API.Page(items: entries.map(item), next: hasMore ? entries.last.map { end($0).encoded } : nil)
        )
    }
}

extension ListingPage {
    /// A page of a short list that is there whole, by name.
    init(
        _ all: [Entry],
        of call: OperatorCall,
        by name: (Entry) -> String
    ) throws {
        let cursor = try ListingCursor.read(call)
        let rest = all.sorted { name($0) < name($1) }.filter { entry in cursor?.text.map { name(entry) > $0 } ?? true }
        self.init(rest, limit: try call.query.limit())
    }
}
