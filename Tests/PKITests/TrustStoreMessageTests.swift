import Foundation
import OpenSSL
import PKI
import TestKit
import TestPeers
import Testing

/// What a device does with a trust store that reached it over an untrusted broker.
struct TrustStoreMessageTests {
    private let world: TestFleet
    private let signer: TrustStoreSigner
    private static let now = TestClock.start

    init() throws {
        world = try TestFleet()
        let authority = try world.root.signed("Trust Store Signer", role: .trustStoreSigner)
        signer = try TrustStoreSigner(key: authority.key, chain: [authority.der])
    }

    private func message(fleet: FleetName? = nil, version: Int64 = 2, lifetime: TimeInterval = .day) throws -> [UInt8] {
        let content = TrustStoreContent(
            store: try TrustStore(chains: [world.issuer.chain]),
            fleet: fleet ?? world.fleetName,
            version: version,
            issuedAt: Self.now,
            expiresAt: Self.now.addingTimeInterval(lifetime),
            previousSHA256: nil
        )
        return try TrustStoreMessage.sign(content, with: signer, now: Self.now)
    }

    private func verify(
        _ message: [UInt8],
        installed: Int64 = 1,
        anchors: [[UInt8]]? = nil,
        now: Date = Self.now
    ) throws
        -> TrustStoreContent
    {
        try TrustStoreMessage.verify(
            message,
            anchors: anchors ?? [world.root.der],
            fleet: world.fleetName,
            installedVersion: installed,
            now: now
        )
    }

    @Test func `a newer store for the device's fleet is taken with just the CAs that were put in`() throws {
        let content = try verify(message())
        #expect(content.version == 2)
        #expect(content.type == "muster.truststore.v1")
        #expect(content.anchors.map(\.subject).count == 2)
        #expect(content.anchors.map(\.pem).joined() == (try TrustStore(chains: [world.issuer.chain])).pem)
        #expect(content.issuedAt == "2026-01-15T12:00:00Z")
    }

    @Test func `a store for another fleet, of the same or an older version, or expired is left alone`() throws {
        let valves = try #require(FleetName("valves"))
        #expect(throws: TrustStoreMessageDefect.fleet("valves")) { try verify(message(fleet: valves)) }
        #expect(throws: TrustStoreMessageDefect.notNewer(2)) { try verify(message(), installed: 2) }
        #expect(throws: TrustStoreMessageDefect.notNewer(2)) { try verify(message(), installed: 3) }
        #expect(throws: TrustStoreMessageDefect.expired) {
            try verify(message(lifetime: 60), now: Self.now.addingTimeInterval(60))
        }
    }

    @Test func `a message signed below another root is refused`() throws {
        let other = try TestFleet()
        #expect(throws: OpenSSLError.self) { try verify(message(), anchors: [other.root.der]) }
        #expect(throws: (any Error).self) { try verify(message(), anchors: []) }
    }

    @Test func `a message changed in any octet is refused`() throws {
        let sound = try message()
        for index in stride(from: 0, to: sound.count, by: 11) {
            var changed = sound
            changed[index] ^= 0x04
            // An octet that no signature covers (an unused parameter) may change; what is said may not.
            if let content = try? verify(changed) { #expect(content == (try verify(sound)), "octet \(index)") }
        }
        let text = try #require(sound.firstRange(of: Array("\"version\":2".utf8)))
        var newer = sound
        newer[text.upperBound - 1] = UInt8(ascii: "9")
        #expect(throws: OpenSSLError.self) { try verify(newer) }
    }

    @Test func `a device's certificate of the same root signs no trust store`() throws {
        let client = try world.root.signed("Some Client", role: .tlsClient)
        #expect(throws: TrustStoreMessageDefect.signer) {
            try TrustStoreSigner(key: client.key, chain: [client.der])
        }
        let content = try TrustStoreContent(
            store: TrustStore(chains: [world.issuer.chain]),
            fleet: world.fleetName,
            version: 9,
            issuedAt: Self.now,
            expiresAt: Self.now.addingTimeInterval(.day),
            previousSHA256: nil
        )
        let forged = try CMSSignedData.sign(
            content: content.encoded(),
            signerCertificate: client.der,
            key: client.key,
            chain: [],
            signingTime: Self.now
        )
        #expect(throws: TrustStoreMessageDefect.signer) { try verify(forged) }
    }

    @Test func `a signer needs its own key, and a message is bounded`() throws {
        #expect(throws: ChainDefect.keyMismatch) {
            try TrustStoreSigner(key: world.root.key, chain: signer.chain)
        }
        let octets = TrustStoreMessage.octetsMax + 1
        #expect(throws: TrustStoreMessageDefect.tooLarge(octets: octets)) {
            try verify([UInt8](repeating: 0x30, count: octets))
        }
    }

    @Test func `openssl verifies what we sign and shows its content`() async throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("message.der", message())
        let root = try folder.write(
            "root.pem",
            Array(CACertificateChain(der: [world.root.der], now: Self.now).pem.utf8)
        )
        let shown = try await Program.run(
            "openssl",
            [
                "cms", "-verify", "-inform", "DER", "-in", file, "-CAfile", root, "-purpose", "any", "-binary",
                "-attime",
                "\(Int(Self.now.timeIntervalSince1970))",
            ]
        )
        #expect(shown.succeeded, "\(shown.errorOutput)")
        #expect(shown.text.contains("\"fleet\":\"meters\""))
    }
}
