import Enrollment
import Foundation
import PKI
import Synchronization
import TestKit
import Testing

struct FleetDirectoryTests {
    @Test func `a label finds its fleet and no other, in its own letters alone (EST-01, EST-02)`() throws {
        let directory = FleetDirectory(defaultFleet: nil)
        directory.replace(with: [try TestFleet(name: "meters").fleet, try TestFleet(name: "valves").fleet])
        #expect(directory.fleet(label: "meters")?.name.text == "meters")
        #expect(directory.fleet(label: "valves")?.name.text == "valves")
        for label in ["METERS", "meters ", "pumps", "", "cacerts"] { #expect(directory.fleet(label: label) == nil) }
    }

    @Test func `without a label the only fleet answers, or the default one, or none`() throws {
        let meters = try TestFleet(name: "meters").fleet
        let valves = try TestFleet(name: "valves").fleet
        let plain = FleetDirectory(defaultFleet: nil)
        #expect(plain.fleet(label: nil) == nil)
        plain.replace(with: [meters])
        #expect(plain.fleet(label: nil)?.name == meters.name)
        plain.replace(with: [meters, valves])
        #expect(plain.fleet(label: nil) == nil)
        let chosen = FleetDirectory(defaultFleet: valves.name)
        chosen.replace(with: [meters, valves])
        #expect(chosen.fleet(label: nil)?.name == valves.name)
        chosen.replace(with: [meters])
        #expect(chosen.fleet(label: nil) == nil)
    }

    @Test func `each replacement is a new generation (TLS-10)`() throws {
        let directory = FleetDirectory(defaultFleet: nil)
        #expect(directory.snapshot.generation == 0)
        directory.replace(with: [try TestFleet().fleet])
        directory.replace(with: [])
        #expect(directory.snapshot.generation == 2)
        #expect(directory.snapshot.fleets.isEmpty)
    }

    @Test func `a fleet whose issuer this server lacks is left out, and the others serve`() async throws {
        let meters = try TestFleet(name: "meters")
        let valves = try TestFleet(name: "valves")
        let directory = FleetDirectory(defaultFleet: nil)
        let loader = FleetLoader(
            source: ListedFleetSource([meters.fleet.record, valves.fleet.record]),
            directory: directory,
            issuers: [valves.issuer],
            logger: .quiet
        )
        try await loader.load()
        #expect(Array(directory.snapshot.fleets.keys) == [valves.fleet.name])
    }

    @Test func `a change reaches the directory, and a record that is away leaves what serves in place`() async throws {
        let world = try TestFleet()
        let source = ListedFleetSource([world.fleet.record])
        let directory = FleetDirectory(defaultFleet: nil)
        let loader = FleetLoader(source: source, directory: directory, issuers: [world.issuer], logger: .quiet)
        source.announce(nil)
        source.announce(.unavailable("no route"))
        source.announce(nil)
        source.end()
        let loads = Mutex(0)
        try await loader.run { loads.withLock { $0 += 1 } }
        #expect(loads.withLock { $0 } == 2)
        #expect(directory.snapshot.generation == 2)
        #expect(directory.fleet(label: "meters") != nil)
    }

    @Test func `a reading that began before the one in place does not undo it`() async throws {
        let meters = try TestFleet(name: "meters")
        let valves = try TestFleet(name: "valves")
        let source = ListedFleetSource([meters.fleet.record])
        let directory = FleetDirectory(defaultFleet: nil)
        let loader = FleetLoader(
            source: source,
            directory: directory,
            issuers: [meters.issuer, valves.issuer],
            logger: .quiet
        )
        // While the first reading is on its way, a fleet comes, and is read whole.
        source.whileReading {
            source.list([meters.fleet.record, valves.fleet.record])
            try? await loader.load()
            #expect(directory.snapshot.fleets.count == 2)
        }
        try await loader.load()
        #expect(directory.snapshot.fleets.keys.map(\.text).sorted() == ["meters", "valves"])
        source.list([valves.fleet.record])
        try await loader.load()
        #expect(Array(directory.snapshot.fleets.keys) == [valves.fleet.name])
    }

    @Test func `what a fleet hands out as its CAs is issuing CA first, root last, each once (EST-12, EST-14)`() throws {
        let world = try TestFleet()
        #expect(world.fleet.certificates == [world.issuing.der, world.root.der])
        let other = try world.root.signed("Next Issuing CA")
        let record = world.fleet.record
        let both = FleetRecord(
            id: record.id,
            name: record.name,
            policy: record.policy,
            profile: record.profile,
            issuerID: record.issuerID,
            anchors: record.anchors,
            trusted: [
                TrustedIssuer(id: IssuerID(2), name: "next", chain: try other.chain(world.root), rollover: [[1], [2]]),
                record.trusted[0],
            ]
        )
        let fleet = try #require(Fleet(both, issuers: [world.issuer]))
        #expect(fleet.certificates == [world.issuing.der, world.root.der, other.der, [1], [2]])
    }
}

/// A source of fleets that a test announces changes of.
private final class ListedFleetSource: FleetSource {
    private let records: Mutex<[FleetRecord]>
    private let interlude = Mutex<(@Sendable () async -> Void)?>(nil)
    private let failures = Mutex<[RecordError?]>([])
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init(_ records: [FleetRecord]) {
        self.records = Mutex(records)
        (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    }

    /// What readings find from now on.
    func list(_ records: [FleetRecord]) { self.records.withLock { $0 = records } }

    /// What happens once, after the next reading has found its fleets and before it returns.
    func whileReading(_ interlude: @escaping @Sendable () async -> Void) {
        self.interlude.withLock { $0 = interlude }
    }

    /// One change; reading the fleets then fails with `error`, if there is one.
    func announce(_ error: RecordError?) {
        failures.withLock { $0.append(error) }
        continuation.yield()
    }

    func end() { continuation.finish() }

    func fleets() async throws(RecordError) -> [FleetRecord] {
        let failure = failures.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if let failure { throw failure }
        let found = records.withLock { $0 }
        await interlude.withLock { $0.take() }?()
        return found
    }

    func changes() -> AsyncStream<Void> { stream }
}
