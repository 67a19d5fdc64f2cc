import Enrollment
import Foundation
import PKI
import Testing

@testable import EnrollmentMQTT

/// What an agent's report says to the record.
@Suite struct AgentReportTests {
    private static let authority = String(repeating: "0f", count: 32)

    private static func report(_ members: String) -> AgentReport? {
        AgentReport(Array("{\"type\":\"muster.agent.status.v1\",\(members)}".utf8))
    }

    private static func list(_ authority: String, _ number: String) -> String {
        "{\"authoritySHA256\":\"\(authority)\",\"number\":\(number),\"subject\":\"passed over\"}"
    }

    @Test func `a report says what is in force, and how far sessions are ended`() throws {
        let lists = Self.list(Self.authority, "17")
        let report = try #require(
            Self.report(
                """
                "trustStore":{"version":3,"sha256":"…"},"lists":[\(lists)],"faults":[{"about":"x","reason":"y"}],\
                "sessionsThrough":40,"reloads":2
                """
            )
        )
        #expect(report.trustStoreVersion == 3 && report.faults == 1 && report.sessionsThrough == 40)
        #expect(report.lists == [[UInt8](repeating: 0x0F, count: 32): 17])
        let first = try #require(Self.report("\"lists\":[],\"faults\":[]"))
        #expect(first.trustStoreVersion == nil && first.sessionsThrough == nil && first.lists.isEmpty)
    }

    @Test(arguments: [
        "\"faults\":[]", "\"lists\":[]", "\"lists\":[],\"faults\":[],\"sessionsThrough\":-1",
        "\"lists\":[],\"faults\":[],\"trustStore\":{\"version\":0}",
        "\"lists\":[\(list(authority, "-1"))],\"faults\":[]", "\"lists\":[\(list("0f", "1"))],\"faults\":[]",
        "\"lists\":[\(list(authority.uppercased(), "1"))],\"faults\":[]",
        "\"lists\":[\(Array(repeating: list(authority, "1"), count: 65).joined(separator: ","))],\"faults\":[]",
    ])
    func `what is no report is none`(members: String) { #expect(Self.report(members) == nil) }

    @Test func `another type, no JSON and too much of it are no reports`() {
        #expect(AgentReport(Array("{\"type\":\"muster.truststore.ack.v1\",\"lists\":[],\"faults\":[]}".utf8)) == nil)
        #expect(AgentReport([]) == nil)
        #expect(AgentReport([UInt8](repeating: 0x20, count: 64 * 1_024 + 1)) == nil)
    }

    @Test func `who reports is told by the topic, which the broker lets nobody else write`() throws {
        let ending: [Substring] = ["agent", "status"]
        let names = try #require(DeviceBranch.names("muster/v1/devices/gw-1@demo/agent/status", ending: ending))
        #expect(names.device.text == "gw-1" && names.fleet.text == "demo")
        for topic in [
            "muster/v1/devices/gw-1@demo/agent", "muster/v1/devices/gw-1@demo/agent/status/x",
            "muster/v1/devices/gw-1/agent/status", "muster/v1/devices/a@b@c/agent/status",
            "muster/v1/devices//agent/status", "muster/v1/fleets/gw-1@demo/agent/status", "",
        ] {
            #expect(DeviceBranch.names(topic, ending: ending) == nil, "\(topic)")
        }
    }
}
