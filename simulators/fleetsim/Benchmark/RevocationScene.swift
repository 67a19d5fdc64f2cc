import Foundation
import NIOCore
import PKI

/// One operator who revokes devices, and when it is seen from outside that a list has them.
///
/// Whether a list was signed is asked of the record, which costs the server nothing; only then the server is asked whether
/// it gives the list out. It is asked for the delta, which is there at the same moment as its list and is small.
struct RevocationScene: Sendable {
    /// How long a shard may take, also one that waits for the list of all.
    private static let shardPatience: Duration = .seconds(120)
    /// The list of all, where it is large, is signed once in a while.
    private static let completePatience: Duration = .seconds(1_200)
    /// Until the server has taken in what was signed, and is idle.
    private static let settling: Duration = .seconds(3)
    /// So long it is looked at what an idle server spends.
    private static let idleLook: Duration = .seconds(3)
    /// Between two looks: the shortest and the longest time, and the part of what it took so far.
    private static let lookMin: Duration = .milliseconds(1)
    private static let lookMax: Duration = .milliseconds(250)
    private static let lookPart = 100

    let server: ServerProcess
    private let endpoint: LoopbackEndpoint
    private let asker: BenchOperator
    private let record: BenchRecord
    private let loop: any EventLoop

    init(_ file: DevFile, record: BenchRecord, on loop: any EventLoop) throws {
        guard let url = file.urls.public else { throw SimulatorError.devFile("dev.json has no urls.public") }
        server = try ServerProcess(file)
        endpoint = try LoopbackEndpoint(url: url)
        asker = try BenchOperator(file)
        self.record = record
        self.loop = loop
    }

    func connectOperator() async throws -> KeptConnection { try await asker.connect(on: loop) }

    func connectPublic() async throws -> KeptConnection {
        try await KeptConnection.open(to: endpoint, tls: nil, on: loop)
    }

    /// Revokes a device.
    /// - Returns: When it was asked for, and when that was answered.
    func revoke(
        _ device: BenchRecord.Revocable,
        over connection: KeptConnection
    ) async throws -> (asked: ContinuousClock.Instant, answered: ContinuousClock.Instant) {
        let request = try asker.revocation(of: device.device)
        let asked = ContinuousClock.now
        let answer = try await connection.ask(request).get()
        let answered = ContinuousClock.now
        guard answer.status == 200 else {
            throw SimulatorError.operation("the operator API answered \(answer.status) to a revocation")
        }
        return (asked, answered)
    }

    /// Waits until the device's shard is given out with it.
    /// - Returns: When it was.
    func listed(
        _ device: BenchRecord.Revocable,
        over connection: KeptConnection
    ) async throws -> ContinuousClock.Instant {
        try await until(Self.shardPatience, "the shard's list") {
            try await !record.isBehind(device.issuer, shard: device.shard)
        }
        return try await givenOut(device, device.shard, over: connection)
    }

    /// Waits until the list of all is given out with the device.
    /// - Returns: When it was.
    func listedInComplete(_ device: BenchRecord.Revocable) async throws -> ContinuousClock.Instant {
        try await until(Self.completePatience, "the list of all") {
            try await !record.isBehind(device.issuer, shard: CRLShards.complete)
        }
        // Nobody keeps a connection open for that long.
        let connection = try await connectPublic()
        let seen = try await givenOut(device, CRLShards.complete, over: connection)
        await connection.close()
        return seen
    }

    /// Waits until every list has all, and the server is idle.
    /// - Returns: What it spends in a second then.
    func settled(_ issuer: Int64) async throws -> ServerProcess.Time {
        try await until(Self.completePatience, "all lists") { try await !record.isBehind(issuer) }
        try await Task.sleep(for: Self.settling)
        return try await server.timePerSecond(for: Self.idleLook)
    }

    func lists(of issuer: Int64) async throws -> BenchRecord.Lists { try await record.lists(of: issuer) }

    /// The device's shard, or the list of all, as it is given out now; it has to have the device.
    func fetch(_ device: BenchRecord.Revocable, shard: Int) async throws -> [UInt8] {
        let connection = try await connectPublic()
        let body = try await get(Self.path(device, shard) + ".crl", over: connection)
        await connection.close()
        guard body.firstRange(of: device.serialNumber) != nil else {
            throw SimulatorError.operation("the list lacks \(device.device), which its delta has")
        }
        return body
    }

    private func givenOut(
        _ device: BenchRecord.Revocable,
        _ shard: Int,
        over connection: KeptConnection
    ) async throws -> ContinuousClock.Instant {
        try await until(Self.shardPatience, "the server to give the list out") {
            try await get(Self.path(device, shard) + ".delta.crl", over: connection)
                .firstRange(of: device.serialNumber) != nil
        }
        return .now
    }

    private static func path(_ device: BenchRecord.Revocable, _ shard: Int) -> String {
        "/crl/\(device.issuerName)" + (shard == CRLShards.complete ? "" : "/\(shard)")
    }

    private func get(_ path: String, over connection: KeptConnection) async throws -> [UInt8] {
        let request = ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: \(endpoint.hostField)\r\n\r\n")
        let answer = try await connection.ask(request).get()
        guard answer.status == 200 else { throw SimulatorError.operation("\(path) was answered \(answer.status)") }
        return answer.body
    }

    /// Looks until it is so, the more seldom the longer it takes: the moment is known to a hundredth.
    private func until(_ limit: Duration, _ what: String, _ isSo: () async throws -> Bool) async throws {
        let began = ContinuousClock.now
        while try await !isSo() {
            let waited = ContinuousClock.now - began
            guard waited < limit else { throw SimulatorError.operation("waited \(limit) for \(what)") }
            try await Task.sleep(for: min(max(waited / Self.lookPart, Self.lookMin), Self.lookMax))
        }
    }
}
