package import SwiftASN1

/// A certification request of which the CA has filled in what it decides: CertificationRequestInfoTemplate (RFC 9908
/// section 3.4).
package struct CSRTemplate: Hashable, Sendable {
    /// One attribute of the subject, each in an RDN of its own.
    package struct NameAttribute: Hashable, Sendable {
        package let type: ASN1ObjectIdentifier
        /// As a UTF8String; nil leaves the value to the client.
        package let value: String?

        package init(type: ASN1ObjectIdentifier, value: String?) {
            self.type = type
            self.value = value
        }
    }

    /// Nil leaves the whole subject to the client; empty demands an empty one.
    package var subject: [NameAttribute]?
    /// Nil leaves the key to the client.
    package var key: CSRKeyDemand?
    /// Carried by id-aa-extensionReqTemplate, and so with or without values.
    package var extensions: [CSRExtensionDemand]

    package init(
        subject: [NameAttribute]? = nil,
        key: CSRKeyDemand? = nil,
        extensions: [CSRExtensionDemand] = []
    ) {
        self.subject = subject
        self.key = key
        self.extensions = extensions
    }

    /// DER.
    package func encoded() throws(CSRAttributesDefect) -> [UInt8] {
        try CSRExtensionDemand.requireDistinct(extensions)
        var serializer = DER.Serializer()
        do {
            try serializer.appendConstructedNode(identifier: .sequence) { template in
                // version v1(0)
                try template.serialize(0)
                if let subject { try Self.serialize(subject, into: &template) }
                if let key { try Self.serialize(key, into: &template) }
                // The attributes are mandatory, though they may be none.
                try template.appendConstructedNode(identifier: Self.tag(1)) { attributes in
                    guard !extensions.isEmpty else { return }
                    try attributes.serialize(
                        CSRAttributes.Element.attribute(
                            ESTObjectIdentifier.extensionRequestTemplate,
                            values: [CSRExtensionDemand.sequence(extensions)]
                        )
                    )
                }
            }
        } catch let defect as CSRAttributesDefect {
            throw defect
        } catch {
            throw .structure("cannot be written")
        }
        return serializer.serializedBytes
    }

    private static func tag(_ number: UInt) -> ASN1Identifier {
        ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }

    /// NameTemplate: a Name whose values may be absent.
    private static func serialize(_ subject: [NameAttribute], into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .sequence) { name in
            for attribute in subject {
                try name.appendConstructedNode(identifier: .set) { rdn in
                    try rdn.appendConstructedNode(identifier: .sequence) { single in
                        try single.serialize(attribute.type)
                        if let value = attribute.value { try single.serialize(ASN1UTF8String(value)) }
                    }
                }
            }
        }
    }

    /// SubjectPublicKeyInfoTemplate under [0] IMPLICIT: the key itself is absent, but for RSA, whose size only a
    /// stand-in can tell (EST-44).
    private static func serialize(_ key: CSRKeyDemand, into coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: tag(0)) { info in
            try info.appendConstructedNode(identifier: .sequence) { algorithm in
                switch key {
                case .ec(let curve):
                    try algorithm.serialize(ESTObjectIdentifier.ecPublicKey)
                    try algorithm.serialize(curve)
                case .rsa:
                    try algorithm.serialize(ESTObjectIdentifier.rsaEncryption)
                    try algorithm.serialize(ASN1Null())
                case .ed25519:
                    try algorithm.serialize(ESTObjectIdentifier.ed25519)
                }
            }
            if case .rsa(let bits) = key {
                try info.serialize(ASN1BitString(bytes: rsaStandIn(bits: bits)[...]))
            }
        }
    }

    /// The smallest sizes that make sense, and the largest that a request may have.
    private static let rsaBits = 1024...8192

    /// An RSAPublicKey of that size whose modulus is no product of two primes, and so nobody's key.
    private static func rsaStandIn(bits: Int) throws -> [UInt8] {
        guard rsaBits.contains(bits), bits % 8 == 0 else {
            throw CSRAttributesDefect.structure("would ask for RSA of \(bits) bits; ask for 1024 to 8192, by octets")
        }
        var serializer = DER.Serializer()
        try serializer.appendConstructedNode(identifier: .sequence) { rsaKey in
            rsaKey.appendPrimitiveNode(identifier: .integer) { octets in
                octets.append(0)
                octets.append(contentsOf: [UInt8](repeating: 0xFF, count: bits / 8))
            }
            try rsaKey.serialize(65_537)
        }
        return serializer.serializedBytes
    }
}
