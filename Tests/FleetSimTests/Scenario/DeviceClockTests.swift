import Foundation
import NIOSSL
import SwiftASN1
import Testing
import X509

@testable import fleetsim

@Suite struct `A device's clock` {
    private static let day: Double = 86_400
    private static let built = Date(timeIntervalSince1970: 1_750_000_000)
    /// Of the server's chain.
    private static let validity = (built + 10 * day)...(built + 100 * day)
    private static let begin = ContinuousClock.now

    private func clock(_ shown: Date) -> ClockEstimate {
        ClockEstimate(shown: shown, at: Self.begin, built: Self.built)
    }

    @Test(arguments: [Date(timeIntervalSince1970: 0), built - day, built + 9 * day, built + 30 * 365 * day])
    func `that is wrong is set to the beginning of the server's chain, then to the server's Date`(shown: Date) {
        var clock = clock(shown)
        let isAccepted = clock.accepts(Self.validity, at: Self.begin)
        #expect(isAccepted)
        #expect(clock.time(at: Self.begin) == Self.validity.lowerBound && !clock.isKnown)
        clock.hears(Self.built + 40 * Self.day, at: Self.begin)
        #expect(clock.isKnown)
        // It goes on from there.
        #expect(clock.time(at: Self.begin + .seconds(5)) == Self.built + 40 * Self.day + 5)
    }

    @Test func `that is right stays as it is until it hears the Date`() {
        var clock = clock(Self.built + 20 * Self.day)
        let isAccepted = clock.accepts(Self.validity, at: Self.begin)
        #expect(isAccepted)
        #expect(clock.time(at: Self.begin) == Self.built + 20 * Self.day)
    }

    @Test func `is not set by a Date at which the server's own chain is not valid`() {
        var clock = clock(Date(timeIntervalSince1970: 0))
        _ = clock.accepts(Self.validity, at: Self.begin)
        for date in [Date(timeIntervalSince1970: 0), Self.built + 200 * Self.day] {
            clock.hears(date, at: Self.begin)
            #expect(!clock.isKnown && clock.time(at: Self.begin) == Self.validity.lowerBound)
        }
        // The certificate that was issued was issued before now.
        #expect(clock.time(issuedNotBefore: Self.built + 50 * Self.day, at: Self.begin) == Self.built + 50 * Self.day)
    }

    @Test func `once it is known holds certificates against it strictly`() {
        var clock = clock(Date(timeIntervalSince1970: 0))
        _ = clock.accepts(Self.validity, at: Self.begin)
        clock.hears(Self.built + 40 * Self.day, at: Self.begin)
        let expired = Self.built...(Self.built + 39 * Self.day)
        let isAccepted = clock.accepts(expired, at: Self.begin)
        #expect(!isAccepted)
        #expect(clock.time(issuedNotBefore: Self.built + 90 * Self.day, at: Self.begin) == Self.built + 40 * Self.day)
    }

    @Test func `does not take a server whose chain ended before the device was built`() {
        var clock = clock(Date(timeIntervalSince1970: 0))
        let isAccepted = clock.accepts((Self.built - 20 * Self.day)...(Self.built - Self.day), at: Self.begin)
        #expect(!isAccepted)
    }

    @Test func `trusts no server but by its chain, its use and its name`() throws {
        let workshop = try Workshop()
        let root = try workshop.root.der
        let localhost = try LoopbackEndpoint(host: "localhost", port: 1)
        #expect(throws: Never.self) { try ServerChain.validity([workshop.server.der], root: root, endpoint: localhost) }
        #expect(throws: Never.self) {
            try ServerChain.validity([workshop.server.der, root], root: root, endpoint: localhost)
        }
        let impostor = try Workshop.make("localhost", isAuthority: false, by: Workshop().root)
        #expect(throws: CheckFailure("the server does not chain to the root")) {
            try ServerChain.validity([impostor.der], root: root, endpoint: localhost)
        }
        // A device's certificate is no CA's.
        let below = try Workshop.make("localhost", isAuthority: false, by: workshop.server)
        #expect(throws: CheckFailure("the server does not chain to the root")) {
            try ServerChain.validity([below.der, workshop.server.der], root: root, endpoint: localhost)
        }
        #expect(throws: CheckFailure("the server has another name")) {
            let elsewhere = try LoopbackEndpoint(host: "127.0.0.1", port: 1)
            return try ServerChain.validity([workshop.server.der], root: root, endpoint: elsewhere)
        }
        #expect(throws: CheckFailure("0 certificates of the server")) {
            try ServerChain.validity([], root: root, endpoint: localhost)
        }
    }
}
