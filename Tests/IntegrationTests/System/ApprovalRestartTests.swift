import Foundation
import TestPeers
import Testing

extension SystemTests {
    struct ApprovalRestartTests {
        @Test(.timeLimit(.minutes(10)))
        func `a device that waits for approval waits on after a restart, and so does the operator's decision`()
            async throws
        {
            let dev = try MusterDev()
            _ = try await dev.start()
            let folder = try TemporaryDirectory(prefix: "mapproval")
            func muster(_ arguments: String...) async throws -> String {
                let result = try await Program.run(
                    MusterDev.executable("muster"),
                    arguments,
                    environment: ["MUSTER_CLIENT_DEV": dev.state]
                )
                guard result.succeeded else { throw BadEnd(program: "muster", errorOutput: result.errorOutput) }
                return result.text
            }
            let described = try await muster("fleet", "show", "demo")
            try folder.write("demo.yaml", described.replacing("policy: open", with: "policy: approval").utf8)
            _ = try await muster("fleet", "apply", folder.path + "/demo.yaml")
            let device = try await SystemDevice(dev.document(), id: "waits")
            #expect(try await device.enroll().status == 202)

            try await dev.stop()
            let restarted = try await dev.start()
            #expect(try await device.enroll(at: restarted.urls.est).status == 202)
            #expect(try await muster("approval", "list", "--fleet", "demo").contains("waits"))
            _ = try await muster("approval", "approve", "waits", "--fleet", "demo")

            try await dev.stop()
            let again = try await dev.start()
            #expect(try await device.enroll(at: again.urls.est).status == 200)
            try await dev.stop()
        }
    }
}
