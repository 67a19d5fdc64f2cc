import Enrollment
import OpenSSL
import PKI
import TestKit
import Testing

/// Where nearly all who come are new, the record is not asked before the commit.
struct ForesightTests {
    /// Enough newcomers that the next one is foreseen.
    private static let newcomers = 32

    /// A service that has seen nothing but newcomers.
    private func experienced() async throws -> Bench {
        let bench = try Bench()
        try await newcomers(bench)
        return bench
    }

    private func newcomers(_ bench: Bench, from first: Int = 0) async throws {
        for number in first..<first + Self.newcomers { _ = try await bench.enrolled("new-\(number)") }
    }

    @Test func `after many newcomers the next ones are not asked about, and get what all others do`() async throws {
        let bench = try await experienced()
        #expect(bench.record.questions == Self.newcomers)
        let device = try await bench.enrolled("meter-1")
        #expect(bench.record.questions == Self.newcomers)
        #expect(bench.record.issued.last?.der == device.der)
        #expect(bench.record.attempts.last?.rule == "open-first")
        #expect(bench.record.attempts.last?.outcome == .issued)
        let renewed = try await bench.renew(device, key: device.key)
        #expect(renewed.certificate != nil)
    }

    @Test func `a device that comes again gets the same bytes, whatever was foreseen`() async throws {
        let bench = try await experienced()
        let (credential, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
        let first = try await bench.enroll(credential, key: key)
        let questions = bench.record.questions
        #expect(try await bench.enroll(credential, key: key) == first)
        #expect(bench.record.questions == questions + 1)
        #expect(bench.record.issued.count == Self.newcomers + 1)
        #expect(bench.record.attempts.last?.outcome == .repeated)
    }

    @Test func `where devices are known, the record is asked first, until newcomers are many again`() async throws {
        let bench = try await experienced()
        let (credential, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
        for _ in 0..<4 { _ = try await bench.enroll(credential, key: key) }
        let asked = bench.record.questions
        _ = try await bench.enrolled("meter-2")
        #expect(bench.record.questions == asked + 1)
        try await newcomers(bench, from: 100)
        let again = bench.record.questions
        _ = try await bench.enrolled("meter-3")
        #expect(bench.record.questions == again)
    }

    @Test func `a block, a registration and a stranger's key are refused as if nothing had been foreseen`() async throws
    {
        let bench = try await experienced()
        let fleet = bench.world.fleet.id
        let blocked = try bench.world.idevid("meter-1")
        bench.record.setBlock(ofCredential: blocked.sha256, of: fleet, isBlocked: true)
        #expect(try await bench.enroll(blocked, key: .make()).reason == .credentialBlocked)
        bench.record.register(
            try bench.world.names("meter-2").device,
            Registration(publicKeySHA256: [UInt8](repeating: 1, count: 32)),
            of: fleet
        )
        try await newcomers(bench, from: 100)
        #expect(try await bench.enroll(bench.world.idevid("meter-2"), key: .make()).reason == .keyNotRegistered)
        try await newcomers(bench, from: 200)
        let owner = try await bench.enrolled("meter-3")
        #expect(try await bench.enroll(bench.world.idevid("meter-4"), key: owner.key).reason == .keyOfAnotherDevice)
        #expect(bench.record.issued.count == 3 * Self.newcomers + 1)
    }

    @Test func `a request that the rules refuse is refused for what the record says first`() async throws {
        let bench = try await experienced()
        let credential = try bench.world.idevid("meter-1")
        bench.record.setBlock(ofCredential: credential.sha256, of: bench.world.fleet.id, isBlocked: true)
        #expect(try await bench.enroll(credential, key: credential.key).reason == .credentialBlocked)
    }

    @Test func `a fleet whose operators are asked asks the record each time`() async throws {
        let bench = try Bench(world: TestFleet(policy: .approval))
        for number in 0..<Self.newcomers + 3 {
            #expect(try await bench.enroll(bench.world.idevid("new-\(number)"), key: .make()).retryAfter != nil)
        }
        #expect(bench.record.questions == Self.newcomers + 3)
    }

    @Test func `nobody waits in a group for the signature of a slow key`() async throws {
        let bench = try Bench(world: TestFleet(issuerKey: .ecdsaP384))
        try await newcomers(bench)
        _ = try await bench.enrolled("meter-1")
        #expect(bench.record.questions == Self.newcomers + 1)
    }
}
