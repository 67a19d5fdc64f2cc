import Enrollment
import Foundation
import HTTPTypes
import HummingbirdCore
import OperatorAPI
import PKI

/// The devices that operators announce.
extension OperatorOperations {
    func listRegistrations(_ call: OperatorCall) async throws -> OperatorAnswer {
        let limit = try call.query.limit()
        let found = try await record.registrations.registrations(
            of: fleet(call),
            prefix: call.query.prefix(),
            after: ListingCursor.read(call)?.text,
            limit: limit + 1
        )
        return try ListingPage(found, limit: limit)
            .answer(API.Registration.init) { ListingCursor(call, text: $0.device) }
    }

    func getRegistration(_ call: OperatorCall) async throws -> OperatorAnswer {
        let device = try call.device()
        guard let entry = try await record.registrations.registration(device, of: fleet(call)) else {
            throw try unregistered(device, call)
        }
        return try .json(API.Registration(entry))
    }

    func putRegistration(_ call: OperatorCall) async throws -> OperatorAnswer {
        let device = try call.device()
        let pins = try call.decode(API.RegistrationPins.self)
        var faults = FaultList()
        let registration = faults.registration(key: pins.keySHA256, idevid: pins.idevidSHA256)
        try faults.check()
        let fleet = try await fleet(call)
        let change = try await record.registrations.register(
            device,
            registration,
            fleet: fleet,
            actor: call.actor,
            at: call.at
        )
        guard let entry = try await record.registrations.registration(device, of: fleet) else {
            throw API.Problem.conflict("registration-removed", "the registration was removed at the same moment")
        }
        // RFC 9110 section 9.3.4: 201 tells that it was not there before.
        return try .json(API.Registration(entry), status: change == .added ? 201 : 200)
    }

    func removeRegistration(_ call: OperatorCall) async throws -> OperatorAnswer {
        let device = try call.device()
        guard try await record.registrations.remove(device, fleet: fleet(call), actor: call.actor, at: call.at) else {
            throw try unregistered(device, call)
        }
        return .nothing
    }

    func importRegistrations(_ call: OperatorCall) async throws -> OperatorAnswer {
        let reader = RegistrationImport(
            body: call.request.body,
            form: try RegistrationImport.Form(call.request),
            declared: call.request.headers[.contentLength].flatMap { Int64($0) }
        )
        let fleet = try await fleet(call)
        let registrations = record.registrations
        let counts = try await OperatorBody.withDeadline(importTimeout) {
            try await registrations.registerAll(fleet: fleet, actor: call.actor, at: call.at) { sink in
                try await reader.feed(sink)
            }
        }
        return try .json(
            API.RegistrationCounts(added: counts.added, changed: counts.changed, unchanged: counts.unchanged)
        )
    }

    private func unregistered(_ device: DeviceID, _ call: OperatorCall) throws -> API.Problem {
        .notFound("registration-unknown", "\(device) is not registered in the fleet \(try call.fleetName())")
    }
}

extension API.Registration {
    init(_ entry: RegistrationEntry) {
        self.init(
            device: entry.device,
            keySHA256: entry.registration.publicKeySHA256.map { Hex.text($0) },
            idevidSHA256: entry.registration.idevidSHA256.map { Hex.text($0) },
            createdAt: entry.createdAt,
            changedAt: entry.changedAt,
            isEnrolled: entry.isEnrolled
        )
    }
}
