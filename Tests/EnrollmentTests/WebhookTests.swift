import Enrollment
import Foundation
import PKI
import TestKit
import Testing

/// What webhooks are told, and when again.
struct WebhookTests {
    private static func batch(_ attempts: [Int], failures: Int = 0) -> WebhookBatch {
        WebhookBatch(
            webhook: "inventory",
            hold: UUID(),
            failures: failures,
            deliveries: attempts.enumerated().map { place, attempts in
                .init(id: Int64(place), message: UUID(), subject: "\(place)", body: [], attempts: attempts)
            }
        )
    }

    private static func settle(
        _ outcomes: [WebhookOutcome],
        attempts: [Int]? = nil,
        failures: Int = 0
    ) -> WebhookSettlement {
        let batch = batch(attempts ?? outcomes.map { _ in 0 }, failures: failures)
        return WebhookSettlement(batch, outcomes) { 1 }
    }

    /// Of the device meter-1 of the fleet meters.
    private static func event(_ change: StandingChange, _ effect: StandingChange.Effect) throws -> WebhookEvent {
        let device = try #require(DeviceID("meter-1"))
        let fleet = try #require(FleetName("meters"))
        let at = TestClock.start
        return try #require(
            WebhookEvent(change, effect: effect, of: device, fleet: fleet, actor: "operator ada", at: at)
        )
    }

    @Test func `the time until the next attempt doubles up to an hour, and chance takes at most half of it`() {
        let delays = (1...14).map { WebhookRetry.delay(after: $0, chance: 1) }
        #expect(delays.prefix(4) == [.seconds(2), .seconds(4), .seconds(8), .seconds(16)])
        #expect(delays.suffix(3).allSatisfy { $0 == .seconds(3_600) })
        #expect(WebhookRetry.delay(after: 2, chance: 0) == .seconds(2))
        #expect(WebhookRetry.delay(after: .max, chance: 0) == .seconds(1_800))
        #expect(WebhookRetry.delay(after: 0, chance: 1) == .seconds(2))
    }

    @Test func `a receiver that takes nothing rests longer each time, and its events are due when it is`() {
        let first = Self.settle([.unreached("no connection"), .refused(status: 503, retryAfter: nil)])
        #expect(first.failures == 1 && first.pause == .seconds(2))
        #expect(first.failed.map(\.delay) == [.zero, .zero])
        #expect(first.failed.map(\.why) == ["no connection", "answered 503"])
        #expect(Self.settle([.unreached("no connection")], failures: 4).pause == .seconds(32))
    }

    @Test func `one event that is not taken waits by itself, and the receiver goes on`() {
        let mixed = Self.settle(
            [.delivered, .refused(status: 500, retryAfter: nil), .unreached("late")],
            attempts: [0, 2, 0]
        )
        #expect(mixed.delivered == [0] && mixed.failures == 0 && mixed.pause == .zero)
        #expect(mixed.failed.map(\.delay) == [.seconds(8), .seconds(2)])
        // Alone it is not known whose fault it is: both wait, and the next event is tried before it.
        let alone = Self.settle([.refused(status: 400, retryAfter: nil)], attempts: [3])
        #expect(alone.failures == 1 && alone.pause == .seconds(2) && alone.failed.map(\.delay) == [.seconds(16)])
    }

    @Test func `a receiver that says when to come again is let be until then, but no longer than an hour`() {
        let busy = Self.settle([.refused(status: 429, retryAfter: .seconds(90))])
        #expect(busy.pause == .seconds(90))
        let years = Self.settle([.delivered, .refused(status: 429, retryAfter: .seconds(Int64(UInt32.max)))])
        #expect(years.pause == .seconds(3_600) && years.failures == 0)
    }

    @Test func `a receiver that wants no more is told nothing`() {
        let gone = Self.settle([.gone])
        #expect(gone.isGone && gone.failed.count == 1 && gone.delivered.isEmpty)
        #expect(!Self.settle([.refused(status: 404, retryAfter: nil)]).isGone)
    }

    @Test func `what was not sent is as it was`() {
        let settlement = Self.settle([.delivered, .refused(status: 500, retryAfter: nil), .unsent])
        #expect(settlement.delivered == [0] && settlement.failed.map(\.id) == [1])
    }

    @Test func `what operators do to a device is told as revoked, held or released, and what changes nothing is not`()
        throws
    {
        let device = try #require(DeviceID("meter-1"))
        let fleet = try #require(FleetName("meters"))
        func kind(_ change: StandingChange, on before: RevocationReason?) -> WebhookEvent.Kind? {
            let effect = change.effect(on: before)
            return WebhookEvent(change, effect: effect, of: device, fleet: fleet, actor: "ada", at: TestClock.start)?
                .kind
        }
        #expect(kind(.revoke(.certificateHold, comment: nil), on: nil) == .deviceHeld)
        #expect(kind(.revoke(.keyCompromise, comment: nil), on: .certificateHold) == .deviceRevoked)
        #expect(kind(.release(comment: nil), on: .certificateHold) == .deviceReleased)
        #expect(kind(.release(comment: nil), on: .superseded) == nil)
        #expect(kind(.revoke(.superseded, comment: nil), on: .superseded) == nil)
        #expect(kind(.clear(comment: nil), on: .superseded) == nil)
    }

    @Test func `a body is JSON whatever an operator wrote, with type, time and data`() throws {
        let comment = "\"sold\"\\ \n\t\u{0}\u{7F} für 5 € \u{1F6B2}"
        let change = StandingChange.revoke(.cessationOfOperation, comment: comment)
        let event = try Self.event(change, .revoke)
        #expect(event.subject == "meter-1@meters")
        let object = try JSONSerialization.jsonObject(with: Data(event.body)) as? [String: Any]
        #expect(object?["type"] as? String == "device.revoked")
        #expect(object?["timestamp"] as? String == TestClock.start.formatted(.iso8601))
        #expect(
            object?["data"] as? [String: String] == [
                "actor": "operator ada", "comment": comment, "device": "meter-1", "fleet": "meters",
                "reason": "cessationOfOperation",
            ]
        )
    }

    @Test func `a subscription takes its kinds of its fleets`() throws {
        let event = try Self.event(.release(comment: nil), .release)
        let fleet = event.fleet
        #expect(WebhookSubscription(webhook: "a").takes(event))
        #expect(!WebhookSubscription(webhook: "a", kinds: [.deviceHeld]).takes(event))
        #expect(WebhookSubscription(webhook: "a", fleets: [fleet]).takes(event))
        #expect(!WebhookSubscription(webhook: "a", fleets: [try #require(FleetName("valves"))]).takes(event))
    }
}
