package import SwiftASN1

/// The answer of /csrattrs: `CsrAttrs ::= SEQUENCE SIZE (0..MAX) OF AttrOrOID` (RFC 8951 section 4, RFC 9908).
package struct CSRAttributes: Hashable, Sendable {
    /// The most elements that are read.
    package static let elementsMax = 64
    /// The most values of one attribute that are read.
    package static let valuesMax = 16
    /// The most octets that are read.
    package static let octetsMax = 16 * 1024

    /// AttrOrOID.
    package enum Element: Hashable, Sendable {
        case oid(ASN1ObjectIdentifier)
        /// An attribute and its values, each in DER.
        case attribute(ASN1ObjectIdentifier, values: [[UInt8]])

        /// The identifier of either.
        package var type: ASN1ObjectIdentifier {
            switch self {
            case .oid(let type): type
            case .attribute(let type, _): type
            }
        }
    }

    /// In the order of the message, which says nothing.
    package let elements: [Element]

    package init(elements: [Element]) {
        self.elements = elements
    }

    /// Reads what a server sent. An empty SEQUENCE is no demand at all (EST-40). What RFC 9908 section 5 calls
    /// mistaken in the example of RFC 7030, an attribute whose values belong to no known type, is read as it stands.
    package init(derEncoded der: [UInt8]) throws(CSRAttributesDefect) {
        guard der.count <= Self.octetsMax else { throw .tooLarge(max: Self.octetsMax) }
        do {
            let root = try DER.parse(der)
            guard root.identifier == .sequence, case .constructed(let members) = root.content else {
                throw CSRAttributesDefect.structure("is not a SEQUENCE")
            }
            var elements: [Element] = []
            for member in members {
                guard elements.count < Self.elementsMax else {
                    throw CSRAttributesDefect.tooMany(max: Self.elementsMax)
                }
                try elements.append(Self.element(member))
            }
            self.elements = elements
        } catch let defect as CSRAttributesDefect {
            throw defect
        } catch {
            throw .structure("is not DER of CsrAttrs")
        }
    }

    /// The values of the first attribute of that type; nil if there is none.
    package func values(of type: ASN1ObjectIdentifier) -> [[UInt8]]? {
        for case .attribute(type, let values) in elements { return values }
        return nil
    }

    /// DER.
    package func encoded() throws(CSRAttributesDefect) -> [UInt8] {
        var serializer = DER.Serializer()
        do {
            try serializer.appendConstructedNode(identifier: .sequence) { list in
                for element in elements { try list.serialize(element) }
            }
        } catch {
            throw .structure("cannot be written")
        }
        return serializer.serializedBytes
    }

    private static func element(_ node: ASN1Node) throws -> Element {
        if node.identifier == .objectIdentifier {
            return try .oid(ASN1ObjectIdentifier(derEncoded: node))
        }
        return try DER.sequence(node, identifier: .sequence) { nodes in
            let type = try ASN1ObjectIdentifier(derEncoded: &nodes)
            guard let set = nodes.next(), set.identifier == .set, case .constructed(let members) = set.content else {
                throw CSRAttributesDefect.structure("has an attribute without a SET of values")
            }
            var values: [[UInt8]] = []
            for member in members {
                guard values.count < Self.valuesMax else { throw CSRAttributesDefect.tooMany(max: Self.valuesMax) }
                values.append(Array(member.encodedBytes))
            }
            return .attribute(type, values: values)
        }
    }
}

extension CSRAttributes.Element: DERSerializable {
    package func serialize(into coder: inout DER.Serializer) throws {
        switch self {
        case .oid(let oid):
            try coder.serialize(oid)
        case .attribute(let type, let values):
            try coder.appendConstructedNode(identifier: .sequence) { attribute in
                try attribute.serialize(type)
                attribute.appendConstructedNode(identifier: .set) { set in
                    for value in values.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                        set.serializeRawBytes(value)
                    }
                }
            }
        }
    }
}

/// Why CSR attributes cannot be made or read.
package enum CSRAttributesDefect: Error, Hashable, CustomStringConvertible {
    case tooLarge(max: Int)
    case tooMany(max: Int)
    /// What is wrong with its structure.
    case structure(String)
    /// The extension that is demanded twice (RFC 9908 section 3.2).
    case repeatedExtension(String)

    package var description: String {
        switch self {
        case .tooLarge(let max): "the CSR attributes have more than \(max) octets"
        case .tooMany(let max): "the CSR attributes have more than \(max) elements or values in one place"
        case .structure(let what): "what /csrattrs gave \(what)"
        case .repeatedExtension(let oid): "the extension \(oid) is demanded twice; name it once"
        }
    }
}
