import Enrollment
import Foundation
import OpenSSL
import PKI
import Synchronization
import TestKit
import Testing

/// Which answers are signed, kept, and signed anew.
struct OCSPServiceTests {
    private static let serial: [UInt8] = [0x4D, 1, 2, 3, 4, 5, 6, 7, 8]

    /// A record of one certificate.
    private final class OneCertificate: CertificateStatusRecord {
        private let state = Mutex<(status: OCSPStatus, changes: UInt64, failure: RecordError?)>((.good, 0, nil))
        private let latest = Mutex(Date.distantPast)
        let responders = Mutex<[[UInt8]]>([])
        let asked = Atomic<Int>(0)

        /// - Parameter isTold: False if the record changes and tells nobody.
        func set(_ status: OCSPStatus, isTold: Bool = true) {
            state.withLock {
                $0.status = status
                if isTold { $0.changes += 1 }
            }
        }

        func change() { state.withLock { $0.changes += 1 } }
        func fail(_ failure: RecordError?) { state.withLock { $0.failure = failure } }

        var changes: UInt64 { state.withLock { $0.changes } }

        func statuses(of serialNumbers: [[UInt8]], issuer: Issuer) async throws(RecordError) -> [OCSPStatus] {
            asked.add(1, ordering: .relaxed)
            let (status, _, failure) = state.withLock { $0 }
            if let failure { throw failure }
            return serialNumbers.map { $0 == OCSPServiceTests.serial ? status : .unknown }
        }

        func statuses(
            of serialNumbers: [[UInt8]],
            issuer: Issuer,
            toSignAt time: Date
        ) async throws(RecordError) -> (statuses: [OCSPStatus], time: Date) {
            let statuses = try await self.statuses(of: serialNumbers, issuer: issuer)
            return latest.withLock { latest in
                latest = max(latest, time)
                return (statuses, latest)
            }
        }

        func recordResponder(_ responder: OCSPResponder, issuer: Issuer) async throws(RecordError) {
            if let failure = state.withLock({ $0.failure }) { throw failure }
            responders.withLock { $0.append(responder.serialNumber) }
        }
    }

    private struct Bench {
        let world: TestFleet
        let record: OneCertificate
        let clock: TestClock
        let crl: Mutexed<Date?>
        let service: OCSPService

        init() async throws {
            try await self.init(TestFleet(), record: OneCertificate(), clock: TestClock(), crl: Mutexed(nil))
        }

        private init(_ world: TestFleet, record: OneCertificate, clock: TestClock, crl: Mutexed<Date?>) async throws {
            self.world = world
            self.record = record
            self.clock = clock
            self.crl = crl
            service = OCSPService(
                issuers: [world.issuer],
                record: record,
                validity: .seconds(86_400),
                earliest: { [crl] _ in crl.value },
                now: { [clock] in clock.now },
                logger: .quiet
            )
            await service.renewResponders()
        }

        /// Another server with the same record, or the same one started anew.
        func another(clock: TestClock) async throws -> Bench {
            try await Bench(world, record: record, clock: clock, crl: crl)
        }

        func ask(_ serial: [UInt8] = OCSPServiceTests.serial) async throws -> OCSPAnswer {
            let question = OCSPQuestion(issuer: world.issuer.der, serialNumber: serial)
            return await service.answer(anyOf: [try question.request()])
        }

        func read(_ answer: OCSPAnswer) throws -> OCSPQuestion.Answer {
            try OCSPQuestion(issuer: world.issuer.der, serialNumber: OCSPServiceTests.serial)
                .read(answer.der, root: world.root.der, at: clock.now)
        }
    }

    /// A value that is changed from outside.
    private final class Mutexed<Value: Sendable>: Sendable {
        private let storage: Mutex<Value>
        init(_ value: sending Value) { storage = Mutex(value) }
        var value: Value { storage.withLock { $0 } }
        func set(_ value: Value) { storage.withLock { $0 = value } }
    }

    @Test func `an answer is signed once and given out until the record changes`() async throws {
        let bench = try await Bench()
        let first = try await bench.ask()
        #expect(first.kind == .good && first.caching?.thisUpdate == TestClock.start)
        bench.clock.advance(by: 60)
        #expect(try await bench.ask() == first && bench.record.asked.load(ordering: .relaxed) == 1)
        // Something else was revoked: the record is asked, and the answer is the same.
        bench.record.change()
        #expect(try await bench.ask() == first && bench.record.asked.load(ordering: .relaxed) == 2)
        #expect(try await bench.ask() == first && bench.record.asked.load(ordering: .relaxed) == 2)
        bench.record.set(.revoked(reason: 1, at: TestClock.start))
        let revoked = try await bench.ask()
        #expect(revoked.kind == .revoked)
        #expect(try bench.read(revoked).status == .revoked(reason: 1, at: TestClock.start))
        bench.record.set(.good)
        #expect(try await bench.ask().kind == .good)
    }

    @Test func `an answer is signed anew when half of its validity is over`() async throws {
        let bench = try await Bench()
        let first = try await bench.ask()
        bench.clock.advance(by: 0.5 * .day)
        let second = try await bench.ask()
        #expect(second != first && second.caching?.thisUpdate == bench.clock.now)
        #expect(try bench.read(second).nextUpdate == bench.clock.now.addingTimeInterval(.day))
    }

    // O-04, O-08
    @Test func `what is unknown, and what has a nonce, is not kept`() async throws {
        let bench = try await Bench()
        bench.record.set(.unknown)
        let unknown = try await bench.ask()
        #expect(unknown.kind == .unknown && unknown.caching == nil)
        // Issued now; nobody is told of that.
        bench.record.set(.good, isTold: false)
        #expect(try await bench.ask().kind == .good)
        let request = try OCSPQuestion(issuer: bench.world.issuer.der, serialNumber: Self.serial).request()
        let nonced = await bench.service.answer(anyOf: [HandmadeOCSPRequest(request).with(nonce: [1, 2, 3, 4])])
        #expect(nonced.kind == .good && nonced.caching == nil)
        #expect(nonced.der.firstRange(of: [0x04, 0x04, 1, 2, 3, 4] as [UInt8]) != nil)
    }

    // O-02, O-03, O-05
    @Test func `requests that cannot be answered are answered so`() async throws {
        let bench = try await Bench()
        for candidates in [[], [[]], [[0x30, 0x00]]] as [[[UInt8]]] {
            #expect(await bench.service.answer(anyOf: candidates).der == [0x30, 0x03, 0x0A, 0x01, 0x01])
        }
        let other = try TestFleet().issuer
        let foreign = try OCSPQuestion(issuer: other.der, serialNumber: Self.serial).request()
        #expect(await bench.service.answer(anyOf: [foreign]).kind == .unauthorized)
        bench.record.fail(.unavailable("no route"))
        #expect(try await bench.ask().der == [0x30, 0x03, 0x0A, 0x01, 0x03])
        bench.record.fail(nil)
        #expect(try await bench.ask().kind == .good)
        // What may have changed is not given out while the record cannot be asked; what has not changed is.
        bench.record.fail(.unavailable("no route"))
        #expect(try await bench.ask().kind == .good)
        bench.record.change()
        #expect(try await bench.ask().kind == .tryLater)
        bench.record.fail(nil)
        let twice = HandmadeOCSPRequest(
            try OCSPQuestion(issuer: bench.world.issuer.der, serialNumber: Self.serial).request()
        ).with(count: 2)
        let both = await bench.service.answer(anyOf: [twice])
        #expect(both.kind == .good && both.caching == nil)
    }

    @Test func `times never run backwards, whatever the clock does, also behind the CRL's`() async throws {
        let bench = try await Bench()
        let first = try #require(try await bench.ask().caching)
        bench.clock.advance(by: -3600)
        bench.record.set(.revoked(reason: 4, at: TestClock.start))
        let back = try #require(try await bench.ask().caching)
        #expect(back.thisUpdate == first.thisUpdate && back.nextUpdate == first.nextUpdate)
        bench.crl.set(TestClock.start.addingTimeInterval(600))
        bench.record.set(.good)
        #expect(try await bench.ask().caching?.thisUpdate == TestClock.start.addingTimeInterval(600))
    }

    @Test func `times go on rising over a restart with the clock set back, and from server to server`() async throws {
        let first = try await Bench()
        let before = try #require(try await first.ask().caching)
        let clock = TestClock(TestClock.start.addingTimeInterval(-3_600))
        let second = try await first.another(clock: clock)
        #expect(try await second.ask().caching?.thisUpdate == before.thisUpdate)
        // Whoever is ahead leads; the other one is not behind from its next signature on.
        first.clock.advance(by: 7)
        first.record.set(.revoked(reason: 1, at: TestClock.start))
        #expect(try await first.ask().caching?.thisUpdate == TestClock.start.addingTimeInterval(7))
        #expect(try await second.ask().caching?.thisUpdate == TestClock.start.addingTimeInterval(7))
        // And nothing is said to be of a time that no clock has shown.
        clock.advance(by: 3_610)
        second.record.set(.good)
        #expect(try await second.ask().caching?.thisUpdate == TestClock.start.addingTimeInterval(10))
    }

    // O-06
    @Test func `a responder's certificate is recorded before it is used, and made anew after half of its life`()
        async throws
    {
        let bench = try await Bench()
        _ = try await bench.ask()
        #expect(bench.record.responders.withLock { $0.count } == 1)
        bench.clock.advance(by: 3.4 * .day)
        await bench.service.renewResponders()
        #expect(bench.record.responders.withLock { $0.count } == 1)
        bench.clock.advance(by: 0.1 * .day)
        bench.record.fail(.unavailable("no route"))
        await bench.service.renewResponders()
        let before = try #require(bench.service.responderEnds.first?.notAfter)
        #expect(before == TestClock.start.addingTimeInterval(7 * .day))
        bench.record.fail(nil)
        await bench.service.renewResponders()
        #expect(bench.service.responderEnds.first?.notAfter == bench.clock.now.addingTimeInterval(7 * .day))
        #expect(try bench.read(try await bench.ask()).status == .good)
    }

    @Test func `no answer outlives its responder's certificate, and there is none after that`() async throws {
        let bench = try await Bench()
        bench.clock.advance(by: 6.5 * .day)
        #expect(try await bench.ask().caching?.nextUpdate == TestClock.start.addingTimeInterval(7 * .day))
        bench.clock.advance(by: 0.5 * .day)
        bench.record.change()
        #expect(try await bench.ask().kind == .internalError)
    }
}
