import TestPeers
import Testing

extension SystemTests.Bounds {
    /// The bounds of the public front, which anyone reaches who reaches its port.
    @Suite struct PublicFrontBoundTests {
        private typealias Front = BoundedServers.Front

        @Test func `a connection over the bound waits, and is served once another one ends`() async throws {
            let server = try await BoundedServers.shared.smallFront()
            let seen = try await server.reaching("public-connections") {
                try await server.publicVisitor("public-connections", "\(Front.connections)", as: Visitor.Waited.self)
            }
            // As at the device front: one more may be on its way.
            #expect((Front.connections...Front.connections + 1).contains(seen.served), "\(seen)")
            #expect(seen.status == 200)
        }

        @Test func `one connection too many of an address is closed at once, and no other address suffers`()
            async throws
        {
            let server = try await BoundedServers.shared.smallFront()
            let seen = try await server.reaching("public-connections-per-address") {
                try await server.publicVisitor(
                    "public-per-address",
                    "\(Front.connectionsPerAddress)",
                    as: Visitor.PerAddress.self
                )
            }
            #expect(seen.served == Front.connectionsPerAddress)
            #expect(seen.closed && seen.other == 200, "\(seen)")
            #expect(seen.again == 200, "after one ended there is room again")
        }

        @Test(arguments: ["public-silent", "public-idle", "public-dribbles"])
        func `a connection that asks for nothing, or never comes to the end of a head, is closed in time`(
            behaviour: String
        ) async throws {
            let server = try await BoundedServers.shared.smallFront()
            let seen = try await server.reaching("public-idle-time") {
                try await server.publicVisitor(behaviour, as: Visitor.Ended.self)
            }
            #expect(seen.ended)
        }

        @Test func `a body that comes octet by octet is not waited for`() async throws {
            let server = try await BoundedServers.shared.smallFront()
            let seen = try await server.reaching("public-body-time") {
                try await server.publicVisitor("public-late-body", as: Visitor.Ended.self)
            }
            #expect(seen.ended)
        }
    }
}
