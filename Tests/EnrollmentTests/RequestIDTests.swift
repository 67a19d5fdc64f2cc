import Enrollment
import Foundation
import TestKit
import Testing

struct RequestIDTests {
    /// Randomness that gives one word again and again.
    private struct Constant: RandomNumberGenerator {
        let word: UInt64
        mutating func next() -> UInt64 { word }
    }

    private func id(_ at: Date, _ word: UInt64) -> UUID {
        var randomness = Constant(word: word)
        return UUID.timeOrdered(at: at, randomness: &randomness)
    }

    @Test(arguments: [UInt64.min, 0x0123_4567_89AB_CDEF, .max])
    func `a request's id is a UUID of version 7 and variant 10, whatever the randomness (RFC 9562 section 5.7)`(
        _ word: UInt64
    ) {
        let octets = id(TestClock.start, word).uuid
        #expect(octets.6 >> 4 == 7)
        #expect(octets.8 >> 6 == 0b10)
    }

    @Test(arguments: [UInt64.min, 0x0123_4567_89AB_CDEF, .max])
    func `in words it is in lower case`(_ word: UInt64) {
        let id = id(TestClock.start, word)
        #expect(id.text == id.uuidString.lowercased())
    }

    @Test func `its first 48 bits are the milliseconds since 1970`() {
        let octets = id(TestClock.start.addingTimeInterval(0.25), 0).uuid
        let milliseconds = [octets.0, octets.1, octets.2, octets.3, octets.4, octets.5]
            .reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        #expect(milliseconds == 1_768_478_400_250)
    }

    @Test func `ids sort by the time of their requests`() {
        var randomness = SystemRandomNumberGenerator()
        let ids = (0..<200).map { step in
            UUID.timeOrdered(at: TestClock.start.addingTimeInterval(Double(step) / 500), randomness: &randomness)
                .uuidString
        }
        #expect(ids == ids.sorted())
    }

    @Test func `ids of one moment differ`() {
        var randomness = SystemRandomNumberGenerator()
        let ids = Set((0..<1_000).map { _ in UUID.timeOrdered(at: TestClock.start, randomness: &randomness) })
        #expect(ids.count == 1_000)
    }

    @Test func `a clock before 1970 still gives an id`() {
        #expect(id(Date(timeIntervalSince1970: -1), 0).uuidString == "00000000-0000-7000-8000-000000000000")
    }
}
