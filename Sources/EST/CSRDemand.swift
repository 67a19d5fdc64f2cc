package import SwiftASN1

/// A key that a CA demands.
package enum CSRKeyDemand: Hashable, Sendable {
    case ec(curve: ASN1ObjectIdentifier)
    case rsa(bits: Int)
    case ed25519

    package static let p256 = CSRKeyDemand.ec(curve: ESTObjectIdentifier.p256)
    package static let p384 = CSRKeyDemand.ec(curve: ESTObjectIdentifier.p384)

    /// The one element of the legacy list that says so (RFC 9908 section 3.2).
    func element() throws -> CSRAttributes.Element {
        switch self {
        case .ec(let curve): try .attribute(ESTObjectIdentifier.ecPublicKey, values: [DEROctets.of(curve)])
        case .rsa(let bits): try .attribute(ESTObjectIdentifier.rsaEncryption, values: [DEROctets.of(bits)])
        // An attribute has at least one value and this type has no parameter, so its identifier stands alone.
        case .ed25519: .oid(ESTObjectIdentifier.ed25519)
        }
    }
}

/// An extension that a CA wants to see in a request.
package struct CSRExtensionDemand: Hashable, Sendable {
    package let type: ASN1ObjectIdentifier
    package let isCritical: Bool
    /// DER of the extension's value; nil asks for the extension and leaves the value to the client, which only a
    /// template can say.
    package let value: [UInt8]?

    package init(type: ASN1ObjectIdentifier, isCritical: Bool = false, value: [UInt8]?) {
        self.type = type
        self.isCritical = isCritical
        self.value = value
    }

    /// A subjectAltName with these URIs, or one that the client is to fill.
    package static func subjectAltName(uris: [String]) throws(CSRAttributesDefect) -> CSRExtensionDemand {
        guard !uris.isEmpty else { return CSRExtensionDemand(type: ESTObjectIdentifier.subjectAltName, value: nil) }
        var serializer = DER.Serializer()
        do {
            try serializer.appendConstructedNode(identifier: .sequence) { names in
                for uri in uris {
                    // uniformResourceIdentifier [6] IA5String (RFC 5280 section 4.2.1.6).
                    try ASN1IA5String(uri).serialize(
                        into: &names,
                        withIdentifier: ASN1Identifier(tagWithNumber: 6, tagClass: .contextSpecific)
                    )
                }
            }
        } catch {
            throw .structure("would have a URI that is not ASCII")
        }
        return CSRExtensionDemand(type: ESTObjectIdentifier.subjectAltName, value: serializer.serializedBytes)
    }
}

/// All that a CA demands of a request, from which the answer of /csrattrs is made. Whatever policy refuses about
/// algorithms and attributes must be here (RFC 7030 section 4.5.2, EST-46).
package struct CSRDemand: Hashable, Sendable {
    /// The acceptable keys. The legacy list can demand one key and no more (EST-43), so several say nothing there.
    package var keys: [CSRKeyDemand]
    /// Acceptable signature algorithms.
    package var signatureAlgorithms: [ASN1ObjectIdentifier]
    /// Extensions with values, for id-ExtensionReq; those without a value stand only in a template.
    package var extensions: [CSRExtensionDemand]
    /// True if proof of possession by channel binding is demanded (RFC 7030 section 4.5.2, EST-30).
    package var challengePassword: Bool
    /// The newer form of the same (RFC 9908 section 3.4), for clients that know it; may stand beside the rest.
    package var template: CSRTemplate?

    package init(
        keys: [CSRKeyDemand] = [],
        signatureAlgorithms: [ASN1ObjectIdentifier] = [],
        extensions: [CSRExtensionDemand] = [],
        challengePassword: Bool = false,
        template: CSRTemplate? = nil
    ) {
        self.keys = keys
        self.signatureAlgorithms = signatureAlgorithms
        self.extensions = extensions
        self.challengePassword = challengePassword
        self.template = template
    }

    /// The list to send. Empty if nothing is demanded: answer 204 then (EST-40).
    package func attributes() throws(CSRAttributesDefect) -> CSRAttributes {
        try CSRExtensionDemand.requireDistinct(extensions)
        do {
            var elements: [CSRAttributes.Element] = []
            if challengePassword { elements.append(.oid(ESTObjectIdentifier.challengePassword)) }
            let distinct = Set(keys)
            if distinct.count == 1, let key = distinct.first { try elements.append(key.element()) }
            let valued = extensions.filter { $0.value != nil }
            if !valued.isEmpty {
                // One attribute, with exactly one Extensions in its set (EST-42).
                try elements.append(
                    .attribute(ESTObjectIdentifier.extensionRequest, values: [CSRExtensionDemand.sequence(valued)])
                )
            }
            for algorithm in signatureAlgorithms where !elements.contains(.oid(algorithm)) {
                elements.append(.oid(algorithm))
            }
            if let template {
                try elements.append(.attribute(ESTObjectIdentifier.requestInfoTemplate, values: [template.encoded()]))
            }
            return CSRAttributes(elements: elements)
        } catch let defect as CSRAttributesDefect {
            throw defect
        } catch {
            throw .structure("cannot be written")
        }
    }
}

extension CSRExtensionDemand {
    /// No extension is named twice (RFC 9908 section 3.2).
    static func requireDistinct(_ extensions: [CSRExtensionDemand]) throws(CSRAttributesDefect) {
        var seen: Set<ASN1ObjectIdentifier> = []
        for item in extensions where !seen.insert(item.type).inserted {
            throw .repeatedExtension(item.type.description)
        }
    }

    /// DER of Extensions or of ExtensionReqTemplate, which differ in whether a value may be missing.
    static func sequence(_ extensions: [CSRExtensionDemand]) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.appendConstructedNode(identifier: .sequence) { list in
            for item in extensions {
                try list.appendConstructedNode(identifier: .sequence) { node in
                    try node.serialize(item.type)
                    if item.isCritical { try node.serialize(true) }
                    if let value = item.value { try node.serialize(ASN1OctetString(contentBytes: value[...])) }
                }
            }
        }
        return serializer.serializedBytes
    }
}

/// DER of one value.
enum DEROctets {
    static func of(_ value: some DERSerializable) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(value)
        return serializer.serializedBytes
    }
}
