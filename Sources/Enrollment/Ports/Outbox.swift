package import Foundation
package import PKI

/// Events that wait to be published: rows written by the transactions that caused them.
package protocol Outbox: Sendable {
    /// Takes the oldest waiting events, up to `limit` of those of fleets that no other replica is at, and calls `publish`
    /// for each; an event is done when `publish` returns, and waits on with all after it when it throws. At least once, in
    /// order for each fleet.
    /// - Returns: How many were published.
    /// - Throws: `RecordError`, or what `publish` threw for the first event.
    func publishWaiting(
        limit: Int,
        _ publish: @Sendable (OutboxEvent) async throws -> Void
    ) async throws -> Int

    /// Has the latest retained event of each topic wait once more, unless it does already.
    func awaitRetainedAgain() async throws(RecordError)

    /// One element each time events may wait; ends on cancellation.
    func wakeups() -> AsyncStream<Void>

    /// The age of the oldest waiting event, or nil if none waits.
    func oldestWaitingSeconds() async throws(RecordError) -> Double?
}

/// One message to publish.
package struct OutboxEvent: Hashable, Sendable {
    package let id: Int64
    package let topic: String
    package let payload: [UInt8]
    package let retained: Bool
    package let createdAt: Date

    package init(id: Int64, topic: String, payload: [UInt8], retained: Bool, createdAt: Date) {
        self.id = id
        self.topic = topic
        self.payload = payload
        self.retained = retained
        self.createdAt = createdAt
    }
}

/// Where devices' acknowledgements of trust stores go.
package protocol AcknowledgementRecord: Sendable {
    /// Notes that a device has a version of its fleet's trust store. It has used its certificate to say so. An unknown
    /// device or version is ignored.
    /// - Returns: True if it was noted.
    func acknowledge(fleet: FleetName, device: DeviceID, version: Int64, at: Date) async throws(RecordError) -> Bool
}

/// Topics of the fleet's messages.
package enum Topics {
    package static func trustStore(_ fleet: FleetName) -> String { "muster/v1/fleets/\(fleet)/truststore" }
    package static func revocations(_ fleet: FleetName) -> String { "muster/v1/fleets/\(fleet)/revocations" }
    /// True of any fleet's.
    package static func areRevocations(_ topic: String) -> Bool {
        topic.hasPrefix("muster/v1/fleets/") && topic.hasSuffix("/revocations")
    }
    package static func trustStoreAcknowledgement(_ names: DeviceNames) -> String {
        "muster/v1/devices/\(names.commonName)/truststore/ack"
    }
}
