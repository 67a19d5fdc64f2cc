import Enrollment
import TestKit
import Testing

@testable import ESTServer

/// What a connection knows of its client.
struct ClientConnectionTests {
    private func chain(_ connection: ClientConnection) -> PresentedChain? {
        guard case .chain(let chain) = connection.client else { return nil }
        return chain
    }

    @Test func `a client that asked, rested and asks again is the same one`() throws {
        let world = try TestFleet()
        let connection = ClientConnection(source: "192.0.2.1", intermediates: ParsedIntermediates())
        connection.rest()
        #expect(connection.isAnonymous)
        connection.present([world.manufacturer.der, world.root.der])
        let before = try #require(chain(connection))
        for _ in 0..<3 {
            connection.rest()
            #expect(!connection.isAnonymous)
            let after = try #require(chain(connection))
            #expect(after.leafSHA256 == before.leafSHA256 && after.leaf == before.leaf)
            #expect(after.intermediates == before.intermediates && after.intermediates.count == 1)
        }
    }
}
