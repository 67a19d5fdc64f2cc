package import Crypto
package import SwiftASN1

/// DER by hand, for what no sound library would write.
package enum HandmadeDER {
    package static let sequence: UInt8 = 0x30
    package static let set: UInt8 = 0x31
    package static let integer: UInt8 = 0x02
    package static let bitString: UInt8 = 0x03
    package static let octetString: UInt8 = 0x04
    package static let null: [UInt8] = [0x05, 0x00]

    /// Tag, length and content, with the shortest length that DER allows.
    package static func node(_ tag: UInt8, _ content: [UInt8]...) -> [UInt8] {
        let content = content.flatMap { $0 }
        return [tag] + length(content.count) + content
    }

    /// A bit string without unused bits.
    package static func bits(_ content: [UInt8]) -> [UInt8] { node(bitString, [0], content) }

    package static func identifier(_ identifier: ASN1ObjectIdentifier) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(identifier)
        return serializer.serializedBytes
    }

    private static func length(_ count: Int) -> [UInt8] {
        if count < 0x80 { return [UInt8(count)] }
        var octets: [UInt8] = []
        var rest = count
        while rest > 0 {
            octets.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        return [0x80 | UInt8(octets.count)] + octets
    }
}

/// A PKCS#10 request put together octet by octet and then signed with P-256 and SHA-256, so that whatever is wrong with
/// it is not its signature.
package struct HandmadeRequest: Sendable {
    private static let ecdsaWithSHA256: ASN1ObjectIdentifier = [1, 2, 840, 10045, 4, 3, 2]

    package var key = P256.Signing.PrivateKey()
    /// The INTEGER, whole.
    package var version: [UInt8] = [0x02, 0x01, 0x00]
    /// The Name, whole.
    package var subject = HandmadeDER.node(HandmadeDER.sequence)
    /// The SubjectPublicKeyInfo, whole; nil is the key's own.
    package var publicKey: [UInt8]?
    /// Each Attribute, whole.
    package var attributes: [[UInt8]] = []

    package init() {}

    /// The request's DER.
    package func der() throws -> [UInt8] {
        let info = HandmadeDER.node(
            HandmadeDER.sequence,
            version,
            subject,
            publicKey ?? [UInt8](key.publicKey.derRepresentation),
            HandmadeDER.node(0xA0, attributes.flatMap { $0 })
        )
        let signature = try key.signature(for: info).derRepresentation
        return HandmadeDER.node(
            HandmadeDER.sequence,
            info,
            HandmadeDER.node(HandmadeDER.sequence, try HandmadeDER.identifier(Self.ecdsaWithSHA256)),
            HandmadeDER.bits([UInt8](signature))
        )
    }

    /// An extensionRequest attribute (RFC 2985 section 5.4.2) of these Extensions, each whole.
    package static func extensionRequest(_ extensions: [[UInt8]]) throws -> [UInt8] {
        HandmadeDER.node(
            HandmadeDER.sequence,
            try HandmadeDER.identifier([1, 2, 840, 113549, 1, 9, 14]),
            HandmadeDER.node(HandmadeDER.set, HandmadeDER.node(HandmadeDER.sequence, extensions.flatMap { $0 }))
        )
    }

    /// An Extension that is not critical.
    package static func oneExtension(_ identifier: ASN1ObjectIdentifier, _ value: [UInt8]) throws -> [UInt8] {
        HandmadeDER.node(
            HandmadeDER.sequence,
            try HandmadeDER.identifier(identifier),
            HandmadeDER.node(HandmadeDER.octetString, value)
        )
    }
}
