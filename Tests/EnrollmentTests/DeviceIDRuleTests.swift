import Enrollment
import PKI
import TestKit
import Testing
import X509

/// Each rule by which a bootstrap credential says which device it is.
struct DeviceIDRuleTests {
    private static let pattern = "urn:example:device:{id}:v1"

    private static func uri(_ text: String) -> GeneralName { .uniformResourceIdentifier(text) }

    /// What the certificate says, and the DeviceID that follows; nil if it names none.
    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var commonName: String?
        var serialNumber: String?
        var names: [GeneralName] = []
        var hardware: [[UInt8]] = []
        let device: String?
    }

    private func device(_ rule: DeviceIDRule, _ row: Row) async throws -> String? {
        let bench = try Bench(world: TestFleet(manufacturer: AnchorTerms(rule)))
        let idevid = try bench.world.idevid("unused") { draft in
            draft.subject = try DistinguishedName(commonName: row.commonName, serialNumber: row.serialNumber)
            draft.names = try row.names + row.hardware.map { try .hardwareModule($0) }
        }
        let result = try await bench.enroll(idevid, key: .make())
        #expect((result.certificate != nil) == (row.device != nil))
        if row.device == nil { #expect(result.reason == .deviceIDMissing) }
        return bench.record.attempts.only?.device?.text
    }

    @Test(arguments: [
        Row(testDescription: "one", commonName: "ignored", serialNumber: "meter-1", device: "meter-1"),
        Row(testDescription: "colons", serialNumber: "00:1A:2B", device: "00-1A-2B"),
        Row(testDescription: "none", commonName: "meter-1", device: nil),
        Row(testDescription: "unusable", serialNumber: "meter 1", device: nil),
        Row(testDescription: "too long", serialNumber: String(repeating: "9", count: 41), device: nil),
    ])
    func `by the subject's serialNumber (IEEE 802.1AR section 8.6)`(_ row: Row) async throws {
        #expect(try await device(.subjectSerialNumber, row) == row.device)
    }

    @Test(arguments: [
        Row(testDescription: "one", commonName: "meter-1", serialNumber: "ignored", device: "meter-1"),
        Row(testDescription: "colons", commonName: "00:1A:2B", device: "00-1A-2B"),
        Row(testDescription: "none", serialNumber: "meter-1", device: nil),
        Row(testDescription: "unusable", commonName: "meter/1", device: nil),
    ])
    func `by the subject's common name`(_ row: Row) async throws {
        #expect(try await device(.subjectCommonName, row) == row.device)
    }

    @Test(arguments: [DeviceIDRule.subjectCommonName, .subjectSerialNumber])
    func `a name that stands in the subject twice names no device`(_ rule: DeviceIDRule) async throws {
        let bench = try Bench(world: TestFleet(manufacturer: AnchorTerms(rule)))
        let idevid = try bench.world.idevid("unused") { draft in
            let one = try DistinguishedName(commonName: "meter-1", serialNumber: "meter-1")
            draft.subject = DistinguishedName(Array(one) + Array(one))
        }
        #expect(try await bench.enroll(idevid, key: .make()).reason == .deviceIDMissing)
    }

    @Test(arguments: [
        Row(testDescription: "text", hardware: [Array("MTR-0042".utf8)], device: "MTR-0042"),
        Row(testDescription: "octets", hardware: [[0x00, 0x1A, 0x2B]], device: "001A2B"),
        Row(testDescription: "colons", hardware: [Array("00:1A".utf8)], device: "00-1A"),
        Row(
            testDescription: "among other names",
            names: [.dnsName("meter-2.example"), uri("urn:example:device:meter-3:v1")],
            hardware: [Array("meter-1".utf8)],
            device: "meter-1"
        ),
        Row(testDescription: "none", serialNumber: "meter-1", names: [.dnsName("meter-1")], device: nil),
        Row(testDescription: "empty", hardware: [[]], device: nil),
        Row(testDescription: "two", hardware: [Array("meter-1".utf8), Array("meter-1".utf8)], device: nil),
        Row(testDescription: "unusable", hardware: [Array("meter/1".utf8)], device: nil),
        Row(testDescription: "too long", hardware: [[UInt8](repeating: 0, count: 21)], device: nil),
    ])
    func `by the hardwareModuleName (RFC 4108 section 5)`(_ row: Row) async throws {
        #expect(try await device(.hardwareModuleName, row) == row.device)
    }

    @Test(arguments: [
        Row(testDescription: "one", names: [uri("urn:example:device:meter-1:v1")], device: "meter-1"),
        Row(testDescription: "colons", names: [uri("urn:example:device:00:1A:v1")], device: "00-1A"),
        Row(
            testDescription: "among URIs of other forms",
            names: [uri("https://example.org/meter-2"), uri("urn:example:device:meter-1:v1")],
            device: "meter-1"
        ),
        Row(testDescription: "none", serialNumber: "meter-1", hardware: [Array("meter-1".utf8)], device: nil),
        Row(testDescription: "another prefix", names: [uri("urn:example:other:meter-1:v1")], device: nil),
        Row(testDescription: "another suffix", names: [uri("urn:example:device:meter-1:v2")], device: nil),
        Row(testDescription: "another case", names: [uri("URN:example:device:meter-1:v1")], device: nil),
        Row(testDescription: "nothing in the place", names: [uri("urn:example:device::v1")], device: nil),
        Row(
            testDescription: "two",
            names: [uri("urn:example:device:meter-1:v1"), uri("urn:example:device:meter-2:v1")],
            device: nil
        ),
        Row(testDescription: "unusable", names: [uri("urn:example:device:meter/1:v1")], device: nil),
        Row(testDescription: "climbing", names: [uri("urn:example:device:..:v1")], device: nil),
    ])
    func `by a URI of the anchor's pattern`(_ row: Row) async throws {
        let pattern = try #require(DeviceIDPattern(Self.pattern))
        #expect(try await device(.subjectAltNameURI(pattern), row) == row.device)
    }

    @Test(
        arguments: [
            "meter-1": "meter-1", "meter-1@meters": "meter-1", "meter-1@valves": nil, "00:1A": nil, "meter 1": nil,
            "": nil,
        ] as [String: String?]
    )
    func `with a claim, by the request's common name`(_ name: String, _ device: String?) async throws {
        let bench = try Bench()
        let result = try await bench.enroll(bench.world.claim(), key: .make(), subject: .init(commonName: name))
        #expect((result.certificate != nil) == (device != nil))
        if device == nil { #expect(result.reason == .deviceIDMissing) }
        #expect(bench.record.attempts.only?.device?.text == device)
    }

    @Test func `with a claim, a request without a name or with two is refused`() async throws {
        let bench = try Bench()
        let claim = try bench.world.claim()
        let one = try DistinguishedName(commonName: "meter-1")
        #expect(try await bench.enroll(claim, key: .make()).reason == .deviceIDMissing)
        let two = DistinguishedName(Array(one) + Array(one))
        #expect(try await bench.enroll(claim, key: .make(), subject: two).reason == .deviceIDMissing)
    }

    @Test(arguments: [
        "", "{id}", "urn:example", "urn:{id}:{id}", "urn:exa mple:{id}", "urn:é:{id}", "no-scheme-{id}",
        "urn:" + String(repeating: "x", count: 193) + "{id}",
    ])
    func `what is no URI with one place for the DeviceID is no pattern`(_ text: String) {
        #expect(DeviceIDPattern(text) == nil)
    }

    @Test func `a pattern finds what stands in its place, and nothing that overlaps its ends`() throws {
        let pattern = try #require(DeviceIDPattern("urn:aa{id}aa"))
        #expect(pattern.match("urn:aaXaa") == "X")
        #expect(pattern.match("urn:aaaa") == nil)
        #expect(pattern.match("urn:aaa") == nil)
        #expect(pattern.description == "urn:aa{id}aa")
        #expect(try #require(DeviceIDPattern("urn:{id}")).match("urn:") == nil)
        let longest = "urn:" + String(repeating: "x", count: 192) + "{id}"
        #expect(DeviceIDPattern(longest)?.text == longest)
    }

    @Test func `each rule is found by its name, with a pattern just where it needs one`() throws {
        let pattern = try #require(DeviceIDPattern(Self.pattern))
        for name in DeviceIDRule.names {
            let needed = name == "san-uri" ? pattern : nil
            let rule = try #require(DeviceIDRule(name: name, pattern: needed))
            #expect(rule.name == name)
            #expect(rule.pattern == needed)
            #expect(rule.isClaim == (name == "request-common-name"))
            #expect(rule.standardKeyChange == (rule.isClaim ? .refuse : .replace))
            #expect(DeviceIDRule(name: name, pattern: needed == nil ? pattern : nil) == nil)
        }
        #expect(DeviceIDRule(name: "subject", pattern: nil) == nil)
    }
}
