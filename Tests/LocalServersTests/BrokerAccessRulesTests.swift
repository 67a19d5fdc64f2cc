import Foundation
import LocalServers
import Testing

struct BrokerAccessRulesTests {
    @Test func `the private broker's access rules are those of production`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../ops/mosquitto/acl"
        )
        #expect(try String(contentsOf: file, encoding: .utf8) == BrokerAccessRules.text)
    }

    @Test func `an agent may end sessions, and is nobody's comment`() {
        let rules = BrokerAccessRules.text(agent: "a@roof")
        #expect(rules.contains("\nuser a@roof\ntopic write $CONTROL/dynamic-security/v1\n"))
        #expect(!BrokerAccessRules.text.contains("\ntopic write $CONTROL"))
    }

    @Test func `the private broker's plugin begins with the file of production`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../ops/mosquitto/dynamic-security.json"
        )
        #expect(try String(contentsOf: file, encoding: .utf8) == DynamicSecurity.text)
    }

    @Test func `a free port is free and not always the same`() throws {
        let ports = try (0..<5).map { _ in try FreePort.next() }
        #expect(ports.allSatisfy { $0 > 1024 })
        #expect(Set(ports).count > 1)
    }
}
