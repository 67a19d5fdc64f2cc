import Enrollment
import Foundation
import OperatorAPI
import Synchronization
import TestKit
import Testing

/// One operator revokes so many devices an hour; a second one approves more.
struct SecondOperatorTests {
    private static func revoke(
        _ bench: OperatorBench,
        _ number: Int,
        as holder: OperatorBench.Holder? = nil,
        reason: String? = nil
    ) async throws -> Curl.Answer {
        try await bench.curl.send(
            "POST",
            "/fleets/meters/devices/meter-\(number)/revoke",
            as: holder ?? bench.operator,
            body: [UInt8](OperatorJSON.encode(API.RevocationOrder(reason: reason)))
        )
    }

    private static func ask(
        _ bench: OperatorBench,
        _ numbers: [Int],
        reason: String? = nil
    ) async throws -> Curl.Answer {
        let order = API.RevocationRequestOrder(
            devices: numbers.map { "meter-\($0)" },
            reason: reason,
            comment: "leaked"
        )
        return try await bench.curl.send(
            "POST",
            "/fleets/meters/revocation-requests",
            as: bench.operator,
            body: [UInt8](OperatorJSON.encode(order))
        )
    }

    private static func approve(
        _ bench: OperatorBench,
        _ id: Int64,
        as holder: OperatorBench.Holder
    ) async throws -> Curl.Answer {
        try await bench.curl.send("POST", "/fleets/meters/revocation-requests/\(id)/approve", as: holder)
    }

    @Test
    func
        `above the limit the second operator is asked for, each operator has a limit of his own, and an hour later it is as before`()
        async throws
    {
        let clock = Mutex(Date())
        try await OperatorBench.with(now: { clock.withLock { $0 } }, revocationsPerHourMax: 2) { bench in
            try await bench.enroll(6)
            func left(_ holder: OperatorBench.Holder) async throws -> Int64? {
                try await bench.curl.get("/self", as: holder).decode(API.Caller.self).revocationsLeft
            }
            #expect(try await left(bench.operator) == 2)
            for number in 0..<2 { #expect(try await Self.revoke(bench, number).status == 200) }
            #expect(try await Self.revoke(bench, 0).status == 200, "what is so already is not counted")
            #expect(try await left(bench.operator) == 0)
            let refused = try await Self.revoke(bench, 2)
            #expect(refused.status == 409)
            #expect(try refused.problem.code == "second-operator-needed")
            let shown = try await bench.curl.get("/fleets/meters/devices/meter-2", as: bench.viewer)
            #expect(try shown.decode(API.Device.self).state == "valid")
            // A hold is a revocation too; a release is none.
            #expect(try await Self.revoke(bench, 3, reason: "certificateHold").status == 409)
            #expect(try await left(bench.admin) == 2)
            #expect(try await Self.revoke(bench, 2, as: bench.admin).status == 200)
            clock.withLock { $0 += 3_700 }
            #expect(try await Self.revoke(bench, 3).status == 200)
        }
    }

    @Test func `another operator approves, and then just these devices are revoked for just this reason`() async throws
    {
        try await OperatorBench.with(revocationsPerHourMax: 1) { bench in
            try await bench.enroll(5)
            #expect(try await Self.revoke(bench, 0).status == 200)
            let asked = try await Self.ask(bench, [1, 2], reason: "keyCompromise")
            #expect(asked.status == 201)
            let request = try asked.decode(API.RevocationRequest.self)
            #expect(request.state == "pending" && request.devices == 2 && request.sample == ["meter-1", "meter-2"])
            #expect(request.requestedBy == "operator otto" && request.comment == "leaked")
            #expect(try await Self.revoke(bench, 1, reason: "keyCompromise").status == 409, "nobody has approved it")

            let own = try await Self.approve(bench, request.id, as: bench.operator)
            #expect(own.status == 409)
            #expect(try own.problem.code == "same-operator")
            #expect(try await Self.approve(bench, request.id, as: bench.viewer).status == 403)
            #expect(try await Self.approve(bench, request.id + 1, as: bench.admin).status == 404)
            let approved = try await Self.approve(bench, request.id, as: bench.admin).decode(API.RevocationRequest.self)
            #expect(approved.state == "approved" && approved.approvedBy == "operator ada" && approved.left == 2)

            #expect(try await Self.revoke(bench, 1, reason: "superseded").status == 409, "another reason")
            #expect(try await Self.revoke(bench, 3, reason: "keyCompromise").status == 409, "another device")
            #expect(try await Self.revoke(bench, 1, reason: "keyCompromise").status == 200)
            #expect(try await Self.revoke(bench, 2, reason: "keyCompromise").status == 200)
            #expect(try await Self.revoke(bench, 4, reason: "keyCompromise").status == 409)
            let page = try await bench.curl.get("/fleets/meters/revocation-requests", as: bench.viewer)
            #expect(try page.decode(API.Page<API.RevocationRequest>.self).items.map(\.left) == [0])

            let audit = try await bench.curl.get("/audit", as: bench.admin)
            let entries = try audit.decode(API.Page<API.AuditEntry>.self).items.filter {
                $0.action.hasPrefix("revocation.")
            }
            #expect(
                Set(entries.map { "\($0.actor) \($0.action)" }) == [
                    "operator otto revocation.requested", "operator ada revocation.approved",
                ]
            )
            #expect(entries.allSatisfy { $0.detail == "2 devices, keyCompromise: leaked" })
        }
    }

    @Test func `a request ends: after a week if nobody approved it, a day after it was approved`() async throws {
        let clock = Mutex(Date())
        try await OperatorBench.with(now: { clock.withLock { $0 } }, revocationsPerHourMax: 1) { bench in
            try await bench.enroll(4)
            let first = try await Self.ask(bench, [0, 1]).decode(API.RevocationRequest.self)
            let second = try await Self.ask(bench, [2, 3]).decode(API.RevocationRequest.self)
            #expect(try await Self.approve(bench, first.id, as: bench.admin).status == 200)
            clock.withLock { $0 += 86_401 }
            #expect(try await Self.revoke(bench, 0).status == 200, "by the limit of the hour")
            #expect(try await Self.revoke(bench, 1).status == 409)
            clock.withLock { $0 += 6 * 86_400 }
            let late = try await Self.approve(bench, second.id, as: bench.admin)
            #expect(late.status == 409)
            #expect(try late.problem.code == "request-expired")
        }
    }

    @Test func `a request names devices that there are, and not too many`() async throws {
        try await OperatorBench.with(revocationsPerHourMax: 1) { bench in
            try await bench.enroll(1)
            #expect(try await Self.ask(bench, []).status == 422)
            #expect(try await Self.ask(bench, [0, 7]).problem.code == "device-unknown")
            #expect(try await Self.ask(bench, [0], reason: "cACompromise").status == 422)
            let many = API.RevocationRequestOrder(devices: (0...10_000).map { "meter-\($0)" })
            let answer = try await bench.curl.send(
                "POST",
                "/fleets/meters/revocation-requests",
                as: bench.operator,
                body: [UInt8](OperatorJSON.encode(many))
            )
            #expect(answer.status == 422)
        }
    }

    @Test func `many at once take no more than the limit`() async throws {
        try await OperatorBench.with(revocationsPerHourMax: 5) { bench in
            try await bench.enroll(12)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<12 { group.addTask { try await Self.revoke(bench, number).status } }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 200 } == 5 && statuses.count { $0 == 409 } == 7)
        }
    }
}
