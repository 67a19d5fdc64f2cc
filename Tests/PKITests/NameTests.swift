import Foundation
import PKI
import SwiftASN1
import TestKit
import Testing
import X509

struct NameTests {
    @Test(arguments: ["a", "meters", "0", "-", "a-b-9", String(repeating: "x", count: 23)])
    func `a fleet's name is 1 to 23 of a-z0-9-`(_ text: String) {
        #expect(FleetName(text)?.text == text)
    }

    @Test(arguments: [
        "", "Meters", "a_b", "a.b", "a/b", "a b", "ä", "a\n", "a\u{0}", "x@y", "+", "#",
        String(repeating: "x", count: 24),
        "cacerts", "simpleenroll", "simplereenroll", "csrattrs", "serverkeygen", "fullcmc",
    ])
    func `what is no fleet's name is refused, the names of EST's operations among them (EST-01)`(_ text: String) {
        #expect(FleetName(text) == nil)
    }

    @Test(arguments: ["a", "A", "00-1A-2B", "meter_1", "a.b", "...", "-", String(repeating: "x", count: 40)])
    func `a DeviceID is 1 to 40 of A-Za-z0-9._-`(_ text: String) {
        #expect(DeviceID(text)?.text == text)
    }

    @Test(arguments: [
        "", ".", "..", "a b", "a@b", "a/b", "a+b", "a#b", "ä", "e\u{301}", "a\u{202E}", "a\n", "a\u{0}",
        String(repeating: "x", count: 41),
    ])
    func `what could climb a path, a topic or a name is no DeviceID (SPIFFE-ID section 2.2)`(_ text: String) {
        #expect(DeviceID(text) == nil)
    }

    private typealias RDN = RelativeDistinguishedName

    private func name(_ attributes: RDN.Attribute...) -> DistinguishedName {
        DistinguishedName(attributes.map { RDN($0) })
    }

    private let o = ASN1ObjectIdentifier.RDNAttributeType.organizationName
    private let cn = ASN1ObjectIdentifier.RDNAttributeType.commonName

    @Test func `names match whatever their letters' case, spaces and string type (RFC 5280 section 7.1)`() throws {
        let one = name(.init(type: o, utf8String: "Example Works"), .init(type: cn, utf8String: "meter-1"))
        let others = [
            one, name(.init(type: o, utf8String: "EXAMPLE works"), .init(type: cn, utf8String: "Meter-1")),
            name(.init(type: o, utf8String: "  Example   Works "), .init(type: cn, utf8String: "meter-1")),
            name(try .init(type: o, printableString: "Example Works"), try .init(type: cn, printableString: "meter-1")),
        ]
        for other in others {
            #expect(one.matches(other))
            #expect(other.matches(one))
        }
    }

    @Test func `a name in words is what the library writes`() throws {
        let street = ASN1ObjectIdentifier.RDNAttributeType.streetAddress
        let names = [
            DistinguishedName([RDN]()), name(.init(type: cn, utf8String: "meter-1")),
            name(.init(type: cn, utf8String: "00-1A@meters")),
            name(.init(type: [2, 5, 4, 5], utf8String: "00:1A_b.c")),
            name(.init(type: o, utf8String: "Example Works")), name(.init(type: o, utf8String: "Works ")),
            name(.init(type: o, utf8String: " Works")), name(.init(type: o, utf8String: "")),
            name(.init(type: [2, 5, 4, 6], utf8String: "XX"), .init(type: [2, 5, 4, 11], utf8String: "Line=1")),
            name(.init(type: o, utf8String: "Example, Works + \"more\""), .init(type: cn, utf8String: " #meter; ")),
            name(.init(type: [2, 5, 4, 5], utf8String: "SN<1>"), .init(type: street, utf8String: "ä\\")),
            DistinguishedName([
                RDN([.init(type: cn, utf8String: "one"), .init(type: o, utf8String: "two")]),
                RDN([.init(type: o, utf8String: "three")]),
            ]),
        ]
        for name in names { #expect(name.text == name.description) }
    }

    @Test func `names differ by a letter, an attribute, their order or their grouping`() throws {
        let one = name(.init(type: o, utf8String: "Example Works"), .init(type: cn, utf8String: "meter-1"))
        let others = [
            .empty, name(.init(type: o, utf8String: "Example Works")),
            name(.init(type: o, utf8String: "ExampleWorks"), .init(type: cn, utf8String: "meter-1")),
            name(.init(type: o, utf8String: "Example Works"), .init(type: cn, utf8String: "meter-2")),
            name(.init(type: o, utf8String: "Example Works"), .init(type: o, utf8String: "meter-1")),
            name(.init(type: cn, utf8String: "meter-1"), .init(type: o, utf8String: "Example Works")),
            DistinguishedName([
                RDN([.init(type: o, utf8String: "Example Works"), .init(type: cn, utf8String: "meter-1")])
            ]),
        ]
        for other in others {
            #expect(!one.matches(other))
            #expect(!other.matches(one))
        }
    }

    @Test func `the parts of a relative name match in any order`() {
        let parts: [RDN.Attribute] = [.init(type: o, utf8String: "Example"), .init(type: cn, utf8String: "meter-1")]
        let one = DistinguishedName([RDN(parts)])
        #expect(one.matches(DistinguishedName([RDN(parts.reversed())])))
    }

    @Test func `a common name is read only if there is just one, in a string type that compares (C-03)`() throws {
        #expect(name(.init(type: cn, utf8String: "a")).commonName == "a")
        let twice = name(.init(type: cn, utf8String: "a"), .init(type: cn, utf8String: "a"))
        #expect(twice.commonName == nil)
        #expect(twice.hasCommonName)
        #expect(DistinguishedName.empty.hasCommonName == false)
        for tag: UInt8 in [0x14, 0x1E, 0x1C] {
            // T61String, BMPString, UniversalString: "a" as each would write it.
            let value: [UInt8] = tag == 0x1E ? [0, 0x61] : tag == 0x1C ? [0, 0, 0, 0x61] : [0x61]
            let der = HandmadeDER.node(
                HandmadeDER.sequence,
                HandmadeDER.node(
                    HandmadeDER.set,
                    HandmadeDER.node(
                        HandmadeDER.sequence,
                        try HandmadeDER.identifier([2, 5, 4, 3]),
                        HandmadeDER.node(tag, value)
                    )
                )
            )
            let odd = try DistinguishedName(derEncoded: DER.parse(der))
            #expect(odd.commonName == nil, "tag \(tag)")
            #expect(odd.hasCommonName)
        }
    }
}
