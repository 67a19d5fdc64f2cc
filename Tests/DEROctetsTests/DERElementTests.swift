import DEROctets
import SwiftASN1
import Testing

@Suite struct DERElementTests {
    @Test(
        "A value of any length is written as another encoder of DER writes it, and read back",
        arguments: [0, 1, 127, 128, 255, 256, 65_535, 65_536, 1 << 24]
    )
    func length(_ count: Int) throws {
        let content = [UInt8](repeating: 0x5A, count: count)
        var serializer = DER.Serializer()
        try serializer.serialize(ASN1OctetString(contentBytes: content[...]))
        let encoded = DERElement.encoded(DERElement.octetString, content)
        #expect(encoded == serializer.serializedBytes)
        var start = 0
        let read = try #require(DERElement.next(encoded[...], &start, end: encoded.count))
        #expect(read.identifier == DERElement.octetString)
        #expect(encoded[read.content] == content[...])
        #expect(start == encoded.count)
    }

    @Test(
        "What is not whole, or not of definite length, is no value, and the place that was reached stays",
        arguments: [
            [], [0x30], [0x30, 0x01], [0x30, 0x81], [0x30, 0x82, 0x01], [0x30, 0x81, 0x80, 0x00],
            [0x30, 0x80, 0x00, 0x00], [0x30, 0x85, 0x00, 0x00, 0x00, 0x00, 0x00], [0x1F, 0x01, 0x00],
            [0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
        ] as [[UInt8]]
    )
    func broken(_ octets: [UInt8]) {
        var start = 0
        #expect(DERElement.next(octets[...], &start, end: octets.count) == nil)
        #expect(start == 0)
        #expect(!DERElement.isSequence(octets))
    }

    @Test("A value that reaches beyond the end of what holds it is none")
    func end() {
        var start = 0
        #expect(DERElement.next([0x30, 0x01, 0x00][...], &start, end: 2) == nil)
        #expect(DERElement.next([0x30, 0x01, 0x00][...], &start, end: 4) == nil)
        start = 4
        #expect(DERElement.next([0x30, 0x01, 0x00][...], &start, end: 3) == nil)
    }

    @Test("A SEQUENCE is one alone: not of another kind, and nothing after it")
    func sequence() {
        #expect(DERElement.isSequence([0x30, 0x00]))
        #expect(!DERElement.isSequence([0x31, 0x00]))
        #expect(!DERElement.isSequence([0x30, 0x00, 0x00]))
    }

    @Test("The values one after the other come out as they stand, until one is not whole")
    func elements() {
        let found = Array(DERElements([0x00, 0x02, 0x01, 0x07, 0x30, 0x00, 0x04, 0x05, 0x00].dropFirst()))
        #expect(found.map(\.identifier) == [DERElement.integer, DERElement.sequence])
        #expect(found.map { Array($0.encoded) } == [[0x02, 0x01, 0x07], [0x30, 0x00]])
        #expect(found.map { Array($0.content) } == [[0x07], []])
    }
}
