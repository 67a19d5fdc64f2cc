import Agent
import Crypto
import Foundation
import OpenSSL
import PKI
import SwiftASN1
import Synchronization
import TestKit
import TestPeers

/// An agent with a clock, a public front and a terminator that a test sets as it likes. Signatures and files are real.
final class AgentBench: Sendable {
    /// What the front has, and what the agent did.
    struct Scene {
        var trustStore: [UInt8]?
        /// By the SHA-256 of the CA's certificate.
        var lists: [String: [UInt8]] = [:]
        var isAway = false
        var reloadFails = false
        /// What the files were at each reload: `crl.pem`.
        var reloads: [String] = []
        /// Whose sessions ended, and after how many reloads.
        var ended: [(clients: [String], reloads: Int)] = []
        var acknowledged: [Int64] = []
        var told: [AgentStatus] = []
        var fetches = 0
        var unchanged = 0
    }

    let clock = TestClock()
    let root: TestAuthority
    let issuing: TestAuthority
    let signer: TestAuthority
    let folder: TemporaryDirectory
    let scene = Mutex(Scene())
    static let fleet = "demo"

    init() throws {
        root = try TestAuthority.selfSigned("Root")
        issuing = try root.signed("Issuing")
        signer = try root.signed("Signer", role: .trustStoreSigner)
        folder = try TemporaryDirectory(prefix: "agent")
        scene.withLock { $0 = Scene() }
    }

    /// A new process of the agent on the same folder.
    func agent(listFiles: [String] = []) throws -> FleetAgent {
        guard let fleet = FleetName(Self.fleet) else { throw MissingName() }
        return try FleetAgent(
            FleetAgent.Settings(fleet: fleet, anchors: [root.der], listFiles: listFiles, endsSessions: true),
            folder: folder.path,
            front: Front(bench: self),
            terminator: Double(bench: self),
            audience: Double(bench: self),
            now: { [clock] in clock.now },
            logger: .quiet
        )
    }

    struct MissingName: Error {}

    static func key(_ authority: TestAuthority) -> String { Hex.text(digest(authority.der)) }

    /// Publishes a trust store of the issuing CA and the root.
    @discardableResult
    func publishTrustStore(
        version: Int64,
        fleet: String = AgentBench.fleet,
        lifetime: TimeInterval = 30 * .day,
        by other: TestAuthority? = nil
    ) throws -> [UInt8] {
        guard let name = FleetName(fleet) else { throw MissingName() }
        let by = other ?? signer
        let content = TrustStoreContent(
            store: try TrustStore(chains: [issuing.chain(root)]),
            fleet: name,
            version: version,
            issuedAt: clock.now,
            expiresAt: clock.now.addingTimeInterval(lifetime),
            previousSHA256: nil
        )
        let signer = try TrustStoreSigner(key: by.key, chain: [by.der])
        let message = try TrustStoreMessage.sign(content, with: signer, now: clock.now)
        scene.withLock { $0.trustStore = message }
        return message
    }

    /// Publishes a list of the issuing CA.
    @discardableResult
    func publishList(
        number: Int64,
        revoked: [UInt8] = [],
        at: TimeInterval = 0,
        lifetime: TimeInterval = .day,
        places: [String] = [],
        base: Int64? = nil,
        by other: TestAuthority? = nil
    ) throws -> [UInt8] {
        let update = clock.now.addingTimeInterval(at)
        let list = RevocationList(
            number: number,
            baseNumber: base,
            thisUpdate: update,
            nextUpdate: update.addingTimeInterval(lifetime),
            places: places,
            entries: revoked.map { .init(serialNumber: [0x40, $0], revokedAt: clock.now, reason: 1) }
        )
        let by = other ?? issuing
        let der = try list.signed(issuer: by.der, key: by.key)
        scene.withLock { $0.lists[Self.key(issuing)] = der }
        return der
    }

    func news(
        _ device: String,
        state: String = "revoked",
        fleet: String = AgentBench.fleet,
        serial: String? = nil,
        sequence: Int64? = nil
    ) -> [UInt8] {
        let at = clock.now.formatted(.iso8601)
        let members = [
            "\"at\":\"\(at)\"", "\"device\":\"\(device)\"", "\"fleet\":\"\(fleet)\"",
            sequence.map { "\"sequence\":\($0)" },
            serial.map { "\"serial\":\"\($0)\"" }, "\"state\":\"\(state)\"", "\"type\":\"muster.revocation.v1\"",
        ]
        return Array("{\(members.compactMap(\.self).joined(separator: ","))}".utf8)
    }

    func file(_ name: String) -> [UInt8]? { try? folder.read(name) }

    /// What a list looks like in `crl.pem`.
    static func pem(_ der: [UInt8]) -> [UInt8] {
        Array((PEMDocument(type: "X509 CRL", derBytes: der).pemString + "\n").utf8)
    }

    private struct Away: Error, CustomStringConvertible { let description = "nobody is there" }

    /// The front, which knows what it served by its own hash, as entity tags do.
    private struct Front: PublicFront {
        let bench: AgentBench

        func trustStore(of fleet: FleetName, unless tag: String?) async throws -> Fetched {
            try bench.scene.withLock { try Self.answer($0.trustStore, tag, &$0) }
        }

        func revocationList(of authority: String, unless tag: String?) async throws -> Fetched {
            try bench.scene.withLock { try Self.answer($0.lists[authority], tag, &$0) }
        }

        private static func answer(_ document: [UInt8]?, _ tag: String?, _ scene: inout Scene) throws -> Fetched {
            guard !scene.isAway else { throw Away() }
            scene.fetches += 1
            guard let document else { return .missing }
            let own = Hex.text(AgentBench.digest(document))
            guard own != tag else {
                scene.unchanged += 1
                return .unchanged
            }
            return .document(document, tag: own)
        }
    }

    private struct Double: Terminator, AgentAudience {
        let bench: AgentBench

        func reload() async throws {
            let list = String(decoding: bench.file("crl.pem") ?? [], as: UTF8.self)
            try bench.scene.withLock { scene in
                guard !scene.reloadFails else { throw Away() }
                scene.reloads.append(list)
            }
        }

        func endSessions(of clients: [String]) async throws {
            bench.scene.withLock { $0.ended.append((clients, $0.reloads.count)) }
        }

        func acknowledge(trustStore version: Int64, sha256: String) async throws {
            bench.scene.withLock { $0.acknowledged.append(version) }
        }

        func tell(_ status: AgentStatus) async throws { bench.scene.withLock { $0.told.append(status) } }
    }
}

extension AgentBench {
    static func digest(_ octets: [UInt8]) -> SHA256.Digest { SHA256.hash(data: octets) }
}
