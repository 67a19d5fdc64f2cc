import Crypto
import Enrollment
import Foundation
import OperatorAPI
import PKI

/// Who may use this front by a certificate.
extension OperatorOperations {
    func listOperators(_ call: OperatorCall) async throws -> OperatorAnswer {
        try ListingPage(try await record.operators.operators(), of: call, by: \.name)
            .answer(API.Operator.init) { ListingCursor(call, text: $0.name) }
    }

    func addOperator(_ call: OperatorCall) async throws -> OperatorAnswer {
        let body = try call.decode(API.OperatorRequest.self)
        var faults = FaultList()
        let name = OperatorName(body.name)
        if name == nil { faults.add("name", "must be 1 to 40 of a-z 0-9 . _ -, a letter or digit first") }
        var request: VerifiedRequest?
        do throws(OperatorRequestDefect) {
            request = try authority.verify(request: body.request)
        } catch {
            faults.add("request", "\(error)")
        }
        guard let name, let request else { throw API.Problem.invalid(faults.faults) }
        let made = try authority.issue(to: name, request, now: call.at)
        // Recorded before it leaves: a certificate that nobody knows opens nothing.
        try await record.operators.add(
            name.text,
            role: body.role.role,
            certificateSHA256: [UInt8](SHA256.hash(data: made.der)),
            notAfter: made.notAfter,
            actor: call.actor,
            at: call.at
        )
        return try .json(
            API.OperatorCertificate(name: name.text, role: body.role, notAfter: made.notAfter, chain: made.pem),
            status: 201
        )
    }

    func removeOperator(_ call: OperatorCall) async throws -> OperatorAnswer {
        let name = try call.operatorName()
        guard try await record.operators.remove(name.text, actor: call.actor, at: call.at) else {
            throw API.Problem.notFound("operator-unknown", "there is no operator \(name)")
        }
        return .nothing
    }
}

extension API.Operator {
    init(_ entry: OperatorEntry) {
        self.init(
            name: entry.name,
            role: API.Role(entry.role),
            createdAt: entry.createdAt,
            createdBy: entry.createdBy,
            removedAt: entry.removedAt,
            notAfter: entry.notAfter
        )
    }
}
