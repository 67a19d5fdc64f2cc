import Enrollment
import PKI
import Testing

@testable import muster

/// The section `webhooks`.
@Suite struct WebhookConfigurationTests {
    private static let section = """
        webhooks:
          - name: inventory
            url: https://inventory.example.com/hooks?token=hunter2
            secretFile: inventory.secret
          - name: siem
            url: http://127.0.0.1:8000/
            secretFile: siem.secret
            caFile: ca.pem
            events: device.revoked,  device.held
            fleets: meters

        """

    @Test func `a webhook is told of all events of all fleets unless it says which`() throws {
        let folder = try ConfigurationFolder(yaml(adding: Self.section))
        let webhooks = try folder.load().webhooks
        #expect(webhooks.map(\.name) == ["inventory", "siem"])
        #expect(webhooks[0].kinds == Set(WebhookEvent.Kind.allCases) && webhooks[0].fleets == nil)
        #expect(webhooks[1].kinds == [.deviceRevoked, .deviceHeld])
        #expect(webhooks[1].fleets?.map(\.text) == ["meters"])
        #expect(webhooks[1].secretFile == folder.path + "/siem.secret")
        #expect(try ConfigurationFolder(leastYAML).load().webhooks == [])
    }

    @Test(arguments: [
        (
            "https://inventory.example.com/hooks?token=hunter2", "http://inventory.example.com",
            "is http to another machine"
        ),
        (
            "https://inventory.example.com/hooks?token=hunter2", "https://ada:hunter2@example.com/",
            "holds a user or password"
        ),
        (
            "https://inventory.example.com/hooks?token=hunter2", "https://example.com/#hunter2",
            "may not have spaces, a fragment"
        ),
        ("https://inventory.example.com/hooks?token=hunter2", "https:///hunter2", "has no valid host"),
        ("https://inventory.example.com/hooks?token=hunter2", "ftp://hunter2", "does not start with https://"),
        (
            "device.revoked,  device.held", "device.revoked, device.lost",
            "\"device.lost\" is not one of device.enrolled, "
        ),
        ("device.revoked,  device.held", "device.held, device.held", "has \"device.held\" twice"),
        ("fleets: meters", "fleets: Meters", "\"Meters\" is not a fleet's name"),
        ("name: siem", "name: inventory", "both are \"inventory\"; every webhook has a name of its own"),
        ("    secretFile: siem.secret\n", "", "webhooks.1.secretFile: is missing"),
        (
            "    secretFile: siem.secret\n", "    secret: hunter2\n",
            "put it in a file and name that with webhooks.1.secretFile"
        ),
    ])
    func `what cannot be is refused with its reason, and without what may be a secret`(
        _ old: String,
        _ new: String,
        _ text: String
    ) throws {
        let problems = try ConfigurationFolder(yaml(adding: Self.section.replacing(old, with: new))).problems()
        #expect(problems.contains { $0.contains(text) }, "\(problems)")
        #expect(!problems.contains { $0.contains("hunter2") }, "\(problems)")
    }

    @Test func `a secret that others may read is found by the check`() throws {
        let folder = try ConfigurationFolder(yaml(adding: Self.section))
        for name in ["est.pem", "issuing-1.pem", "signer.pem", "ca.pem"] { try folder.write(name, mode: 0o644) }
        for name in ["est.key", "issuing-1.key", "signer.key", "siem.secret"] { try folder.write(name, mode: 0o600) }
        try folder.write("inventory.secret", mode: 0o640)
        let problems = #expect(throws: ConfigurationProblems.self) {
            try ConfigurationCheck.check(file: folder.file, environment: [:], overrides: [])
        }
        #expect(problems.map { folder.lines($0) }?.first?.contains("inventory.secret has mode 0640") == true)
    }
}
