import TestPeers
import Testing

extension SystemTests.Bounds {
    /// The bounds of the device front on connections, time and size. Each test says what a client sees, and that
    /// `muster_limit_reached_total` tells it to who looks after the server.
    @Suite struct FrontBoundTests {
        private typealias Front = BoundedServers.Front

        private struct Status: Decodable {
            let status: Int
        }

        private struct Stalled: Decodable {
            let status: Int
            let gone: Int
            let left: Int
        }

        @Test func `a connection over the bound waits, and is served once another one ends`() async throws {
            let server = try await BoundedServers.shared.smallFront()
            let seen = try await server.reaching("connections") {
                try await server.visitor("connections", "\(Front.connections)", as: Visitor.Waited.self)
            }
            // A listener that hands connections to other threads may take one more before it hears of the last.
            #expect((Front.connections...Front.connections + 1).contains(seen.served), "\(seen)")
            #expect(seen.status == 200)
        }

        @Test func `one connection too many of an address is closed at once, and no other address suffers`()
            async throws
        {
            let server = try await BoundedServers.shared.smallFront()
            let seen = try await server.reaching("connections-per-address") {
                try await server.visitor("per-address", "\(Front.connectionsPerAddress)", as: Visitor.PerAddress.self)
            }
            #expect(seen.served == Front.connectionsPerAddress)
            #expect(seen.closed && seen.other == 200, "\(seen)")
            #expect(seen.again == 200, "after one ended there is room again")
        }

        @Test func `of too many handshakes one that stalled gives way to one that begins`() async throws {
            let server = try await BoundedServers.shared.smallFront()
            let late = try await server.reached("handshake-time")
            let seen = try await server.reaching("handshakes") {
                try await server.visitor("handshakes", "\(Front.handshakes + 1)", as: Stalled.self)
            }
            #expect(seen.status == 200)
            #expect(seen.gone >= 1 && seen.left >= 1, "\(seen)")
            #expect(try await server.reached("handshake-time") == late, "none had to come to the end of its time")
        }

        @Test func `a handshake that goes no further is closed in time (TLS-13)`() async throws {
            let server = try await BoundedServers.shared.smallFront()
            let seen = try await server.reaching("handshake-time") {
                try await server.visitor("stalls", as: Visitor.Ended.self)
            }
            #expect(seen.ended)
        }

        @Test(arguments: ["silent", "dribbles"])
        func `a connection that asks for nothing, or never comes to the end of a head, is closed in time`(
            behaviour: String
        ) async throws {
            let server = try await BoundedServers.shared.smallFront()
            let seen = try await server.reaching("idle-time") {
                try await server.visitor(behaviour, as: Visitor.Ended.self)
            }
            #expect(seen.ended)
        }

        @Test func `a head over the bound is answered 431 (RFC 6585 section 5)`() async throws {
            let server = try await BoundedServers.shared.smallFront()
            let seen = try await server.reaching("header") {
                try await server.visitor("header", "\(Front.headerOctets + 1)", as: Status.self)
            }
            #expect(seen.status == 431)
        }

        @Test(arguments: ["length", "chunked"])
        func `a body over the bound is answered 413, whether its length is said or not (RFC 9110 section 15.5.14)`(
            form: String
        ) async throws {
            let server = try await BoundedServers.shared.smallFront()
            let device = try await SystemDevice(server.bed.document)
            let credential = (device.idevidFile, device.idevidKeyFile)
            let before = try await server.reached("body")
            let fits = try await server.visitor(
                "body",
                "\(Front.bodyOctets)",
                form,
                credential.0,
                credential.1,
                as: Status.self
            )
            #expect(fits.status == 400, "it is no request, but no too large one either")
            #expect(try await server.reached("body") == before)
            let seen = try await server.reaching("body") {
                try await server.visitor(
                    "body",
                    "\(Front.bodyOctets + 1)",
                    form,
                    credential.0,
                    credential.1,
                    as: Status.self
                )
            }
            #expect(seen.status == 413)
        }

        @Test func `a body that does not come is answered 408 (RFC 9110 section 15.5.9)`() async throws {
            let server = try await BoundedServers.shared.smallFront()
            let seen = try await server.reaching("body-time") {
                try await server.visitor("late-body", as: Status.self)
            }
            #expect(seen.status == 408)
        }

        @Test func `enrollments over the bound are told to come again, and those under way finish`() async throws {
            let server = try await BoundedServers.shared.smallFront()
            var devices: [SystemDevice] = []
            for _ in 0...Front.enrollments { devices.append(try await SystemDevice(server.bed.document)) }
            let rest = try await server.reaching("requests") {
                try await withThrowingTaskGroup(of: SystemDevice.Answer.self) { group in
                    // Nobody's enrollment comes to its end, so the first answer is to the one too many.
                    let first = try await server.holding("audit_head") {
                        for device in devices { group.addTask { try await device.enroll(at: server.server.url) } }
                        return try await group.next()
                    }
                    #expect(first?.status == 503)
                    #expect(first?.headers.contains { $0.hasPrefix("retry-after: ") } == true)
                    return try await group.reduce(into: []) { $0.append($1.status) }
                }
            }
            #expect(rest == Array(repeating: 200, count: Front.enrollments))
        }
    }
}
