import Crypto
import Foundation
import PKI
import SwiftASN1
import TestKit
import Testing
import X509

/// C-01: what is not DER, not version 0, or out of bounds is refused before anything is believed.
struct RequestParsingTests {
    private static let sanOID: ASN1ObjectIdentifier = [2, 5, 29, 17]

    private func defect(_ der: [UInt8]) -> RequestDefect? {
        do throws(RequestDefect) {
            _ = try UnverifiedRequest(der: der).verified(KeyPolicy())
            return nil
        } catch {
            return error
        }
    }

    private func isMalformed(_ der: [UInt8]) -> Bool {
        if case .malformed = defect(der) { true } else { false }
    }

    @Test func `a request put together by hand is sound until a fault is put in`() throws {
        #expect(try defect(HandmadeRequest().der()) == nil)
        let request = try UnverifiedRequest(der: HandmadeRequest().der()).verified(KeyPolicy())
        #expect(request.publicKeyFacts.kind == .p256)
        #expect(request.names.isEmpty)
        #expect(!request.asksForAuthority)
    }

    @Test(arguments: [1, 2, 127]) func `any version but 0 is refused`(_ version: UInt8) throws {
        var request = HandmadeRequest()
        request.version = [0x02, 0x01, version]
        #expect(isMalformed(try request.der()))
    }

    @Test(
        arguments: [
            [0x02, 0x02, 0x00, 0x00], [0x02, 0x81, 0x01, 0x00], [0x02, 0x00], [0x02, 0x01, 0xFF], [0x0A, 0x01, 0x00],
        ] as [[UInt8]]
    )
    func `a version that is no minimal INTEGER is refused`(_ version: [UInt8]) throws {
        var request = HandmadeRequest()
        request.version = version
        #expect(isMalformed(try request.der()))
    }

    @Test func `BER with indefinite or long-winded lengths is refused`() throws {
        let sound = try HandmadeRequest().der()
        // The outer header of a request of 128 to 255 octets is 30 81 nn.
        #expect(sound[1] == 0x81)
        let content = Array(sound.dropFirst(3))
        #expect(isMalformed([0x30, 0x80] + content + [0, 0]))
        #expect(isMalformed([0x30, 0x82, 0x00, sound[2]] + content))
        #expect(isMalformed([0x30, 0x84, 0x00, 0x00, 0x00, sound[2]] + content))
        #expect(isMalformed([0x31, 0x81, sound[2]] + content))
    }

    @Test func `octets after the request, or missing from it, are refused`() throws {
        let sound = try HandmadeRequest().der()
        #expect(isMalformed(sound + [0]))
        #expect(isMalformed(sound + sound))
        #expect(isMalformed([]))
        for count in stride(from: 1, to: sound.count, by: 7) { #expect(isMalformed(Array(sound.prefix(count)))) }
    }

    @Test func `octets inside the SubjectPublicKeyInfo after the key are refused`() throws {
        var request = HandmadeRequest()
        let key = [UInt8](request.key.publicKey.derRepresentation)
        request.publicKey = HandmadeDER.node(HandmadeDER.sequence, Array(key.dropFirst(2)), HandmadeDER.null)
        #expect(isMalformed(try request.der()))
    }

    @Test func `octets after an extension's value are refused`() throws {
        let name = HandmadeDER.node(HandmadeDER.sequence, HandmadeDER.node(0x82, Array("a.example".utf8)))
        var request = HandmadeRequest()
        request.attributes = [
            try HandmadeRequest.extensionRequest([HandmadeRequest.oneExtension(Self.sanOID, name)])
        ]
        #expect(try defect(request.der()) == nil)
        request.attributes = [
            try HandmadeRequest.extensionRequest([HandmadeRequest.oneExtension(Self.sanOID, name + [0x05, 0x00])])
        ]
        #expect(isMalformed(try request.der()))
    }

    @Test func `two extensionRequest attributes are refused`() throws {
        let name = HandmadeDER.node(HandmadeDER.sequence, HandmadeDER.node(0x82, Array("a.example".utf8)))
        let attribute = try HandmadeRequest.extensionRequest([HandmadeRequest.oneExtension(Self.sanOID, name)])
        var request = HandmadeRequest()
        request.attributes = [attribute, attribute]
        let found = defect(try request.der())
        #expect(found == .malformed("there are two extensionRequest attributes"))
    }

    @Test func `an extension that stands twice is refused`() throws {
        let name = HandmadeDER.node(HandmadeDER.sequence, HandmadeDER.node(0x82, Array("a.example".utf8)))
        let one = try HandmadeRequest.oneExtension(Self.sanOID, name)
        var request = HandmadeRequest()
        request.attributes = [try HandmadeRequest.extensionRequest([one, one])]
        #expect(isMalformed(try request.der()))
    }

    @Test func `more than 16 KiB is refused unread`() {
        let octets = 16 * 1024 + 1
        #expect(defect([UInt8](repeating: 0x30, count: octets)) == .tooLarge(octets: octets, max: 16 * 1024))
    }

    @Test func `64 attributes or names pass and one more is refused`() throws {
        func attribute(_ number: Int) throws -> [UInt8] {
            HandmadeDER.node(
                HandmadeDER.sequence,
                try HandmadeDER.identifier([1, 3, 6, 1, 4, 1, 99999, UInt(number)]),
                HandmadeDER.node(HandmadeDER.set, HandmadeDER.null)
            )
        }
        // DER sorts a SET OF by its members' octets; numbers of one width sort so as they are.
        var request = HandmadeRequest()
        request.attributes = try (1...64).map(attribute)
        #expect(try defect(request.der()) == nil)
        request.attributes = try (1...65).map(attribute)
        #expect(try defect(request.der()) == .tooMany("attributes", max: 64))
        func named(_ count: Int) throws -> [UInt8] {
            try RequestDraft(.make(), names: (0..<count).map { .dnsName("\($0).example") }).der()
        }
        #expect(try defect(named(64)) == nil)
        #expect(try defect(named(65)) == .tooMany("names", max: 64))
    }

    @Test func `deep nesting is refused without harm`() throws {
        var bomb: [UInt8] = HandmadeDER.null
        for _ in 0..<2_000 { bomb = HandmadeDER.node(HandmadeDER.sequence, bomb) }
        #expect(isMalformed(bomb))
        var request = HandmadeRequest()
        request.subject = bomb
        #expect(isMalformed(try request.der()))
    }

    @Test func `a subject of too many or too wide relative names is refused`() throws {
        func relativeName(_ width: Int) throws -> [UInt8] {
            HandmadeDER.node(
                HandmadeDER.set,
                try (0..<width).map { index in
                    HandmadeDER.node(
                        HandmadeDER.sequence,
                        try HandmadeDER.identifier([2, 5, 4, 3]),
                        HandmadeDER.node(0x0C, [UInt8(ascii: "a") + UInt8(index)])
                    )
                }.flatMap { $0 }
            )
        }
        func subject(_ names: [[UInt8]]) throws -> [UInt8] {
            var request = HandmadeRequest()
            request.subject = HandmadeDER.node(HandmadeDER.sequence, names.flatMap { $0 })
            return try request.der()
        }
        #expect(try defect(subject([relativeName(4)])) == nil)
        #expect(isMalformed(try subject([relativeName(5)])))
        #expect(isMalformed(try subject([HandmadeDER.node(HandmadeDER.set)])))
        #expect(isMalformed(try subject([[UInt8]](repeating: relativeName(1), count: 65))))
    }

    @Test func `a request signed by another key, or changed after signing, is refused (EST-28)`() throws {
        var request = HandmadeRequest()
        request.publicKey = [UInt8](P256.Signing.PrivateKey().publicKey.derRepresentation)
        #expect(try defect(request.der()) == .signature)
        for kind in DeviceKey.Kind.allCases {
            let sound = try RequestDraft(.make(kind), subject: DistinguishedName(commonName: "meter-1")).der()
            #expect(defect(sound) == nil)
            let name = try #require(sound.firstRange(of: Array("meter-1".utf8)))
            var changed = sound
            changed[name.upperBound - 1] = UInt8(ascii: "2")
            #expect(defect(changed) == .signature)
        }
    }

    @Test func `what a request asks for is read: names, and powers that no device gets (C-02)`() throws {
        var draft = RequestDraft(try .make(), names: [.dnsName("a.example"), .rfc822Name("a@b.example")])
        #expect(try UnverifiedRequest(der: draft.der()).verified(KeyPolicy()).names == draft.names)
        draft.asksForAuthority = true
        #expect(try UnverifiedRequest(der: draft.der()).verified(KeyPolicy()).asksForAuthority)
        for bits: [UInt8] in [[0x02, 0x04], [0x01, 0x02]] {
            var request = HandmadeRequest()
            request.attributes = [
                try HandmadeRequest.extensionRequest([
                    HandmadeRequest.oneExtension([2, 5, 29, 15], HandmadeDER.node(HandmadeDER.bitString, bits))
                ])
            ]
            #expect(try UnverifiedRequest(der: request.der()).verified(KeyPolicy()).asksForAuthority)
        }
    }

    @Test func `flipping any octet of a request never gives a request that says something else`() throws {
        let sound = try RequestDraft(.make(), subject: DistinguishedName(commonName: "meter-1")).der()
        let said = try UnverifiedRequest(der: sound).verified(KeyPolicy())
        for index in sound.indices {
            var changed = sound
            changed[index] ^= 0x01
            // The count of the signature's unused bits is an octet that no signature covers and that says nothing.
            guard let other = try? UnverifiedRequest(der: changed).verified(KeyPolicy()) else { continue }
            #expect(other.subject == said.subject, "octet \(index)")
            #expect(other.publicKey == said.publicKey, "octet \(index)")
            #expect(other.names.isEmpty, "octet \(index)")
        }
    }
}
