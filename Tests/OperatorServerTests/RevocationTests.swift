import Enrollment
import Foundation
import OperatorAPI
import TestKit
import Testing

/// An operator revokes devices, holds and releases them, over HTTP.
struct RevocationTests {
    private static func post(
        _ bench: OperatorBench,
        _ action: String,
        _ order: API.RevocationOrder? = nil,
        device: String = "meter-0",
        headers: [String] = []
    ) async throws -> Curl.Answer {
        try await bench.curl.send(
            "POST",
            "/fleets/meters/devices/\(device)/\(action)",
            as: bench.operator,
            body: order.map { try [UInt8](OperatorJSON.encode($0)) },
            headers: headers
        )
    }

    @Test func `the reasons of the description are those that a record can hold`() {
        #expect(API.RevocationOrder.reasons == RevocationReason.allCases.map(\.rawValue))
    }

    @Test func `a device is held, released, revoked and cleared, and every answer says how it stands`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(2)
            let hold = API.RevocationOrder(reason: "certificateHold", comment: "it moved")
            let held = try await Self.post(bench, "revoke", hold).decode(API.Device.self)
            #expect(held.state == "held")
            #expect(held.revocation?.comment == "it moved" && held.revocation?.by == "operator otto")
            let early = try await Self.post(bench, "clear")
            #expect(early.status == 409)
            #expect(try early.problem.code == "device-held")
            #expect(try await Self.post(bench, "release").decode(API.Device.self).state == "valid")
            #expect(try await Self.post(bench, "release").decode(API.Device.self).state == "valid", "it is so already")

            let revoked = try await Self.post(bench, "revoke").decode(API.Device.self)
            #expect(revoked.state == "revoked" && revoked.revocation?.reason == "unspecified")
            let late = try await Self.post(bench, "release")
            #expect(late.status == 409)
            #expect(try late.problem.code == "device-not-held")
            let shown = try await bench.curl.get("/fleets/meters/devices/meter-0", as: bench.viewer)
            #expect(try shown.decode(API.Device.self) == revoked)
            let cleared = try await Self.post(bench, "clear").decode(API.Device.self)
            #expect(cleared.state == "cleared" && cleared.revocation == nil)
            let certificates = try await bench.curl.get(
                "/fleets/meters/devices/meter-0/certificates",
                as: bench.viewer
            )
            #expect(try certificates.decode(API.Page<API.Certificate>.self).items.map(\.status) == ["revoked"])
            let other = try await bench.curl.get("/fleets/meters/devices/meter-1", as: bench.viewer)
            #expect(try other.decode(API.Device.self).state == "valid")
        }
    }

    @Test func `who repeats a revocation with its key gets the same answer, and the log has one entry`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(1)
            let key = ["Idempotency-Key: first"]
            let order = API.RevocationOrder(reason: "keyCompromise")
            let first = try await Self.post(bench, "revoke", order, headers: key)
            let again = try await Self.post(bench, "revoke", order, headers: key)
            #expect(first.status == 200 && again.body == first.body)
            #expect(again.headers["idempotent-replayed"] == "true")
            let audit = try await bench.curl.get("/audit?subject=meter-0@meters", as: bench.admin)
            let actions = try audit.decode(API.Page<API.AuditEntry>.self).items.map(\.action)
            #expect(actions.filter { $0 == "device.revoked" }.count == 1)
        }
    }

    @Test func `what cannot be revoked is told, and changes nothing`() async throws {
        try await OperatorBench.with { bench in
            try await bench.enroll(1)
            let unknown = try await Self.post(bench, "revoke", device: "meter-9")
            #expect(unknown.status == 404)
            #expect(try unknown.problem.code == "device-unknown")
            let wrong = try await Self.post(bench, "revoke", API.RevocationOrder(reason: "cACompromise"))
            #expect(wrong.status == 422)
            #expect(try wrong.problem.faults?.map(\.at) == ["reason"])
            let long = String(repeating: "x", count: API.Comment.lengthMax + 1)
            #expect(try await Self.post(bench, "revoke", API.RevocationOrder(comment: long)).status == 422)
            let viewer = try await bench.curl.send("POST", "/fleets/meters/devices/meter-0/revoke", as: bench.viewer)
            #expect(viewer.status == 403)
            let shown = try await bench.curl.get("/fleets/meters/devices/meter-0", as: bench.viewer)
            #expect(try shown.decode(API.Device.self).state == "valid")
        }
    }
}
