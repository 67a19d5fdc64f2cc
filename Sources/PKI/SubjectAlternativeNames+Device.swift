import SwiftASN1
package import X509

/// What a bootstrap credential's alternative names say of its device. A certificate whose extension cannot be parsed
/// says nothing.
package struct CredentialNames: Hashable, Sendable {
    /// The URIs, in order.
    package let uris: [String]
    /// hwSerialNum of each hardwareModuleName (RFC 4108 section 5): its text if it is printable ASCII, else upper-case
    /// hexadecimal digits.
    package let hardwareSerialNumbers: [String]

    /// id-on-hardwareModuleName.
    private static let hardwareModuleName: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 8, 4]

    package init(_ certificate: Certificate) {
        let names = (try? certificate.extensions.subjectAlternativeNames).flatMap { $0 }.map { Array($0) } ?? []
        self.init(names)
    }

    package init(_ names: [GeneralName]) {
        uris = names.compactMap { name in
            if case .uniformResourceIdentifier(let uri) = name { uri } else { nil }
        }
        hardwareSerialNumbers = names.compactMap { name in
            guard case .otherName(let other) = name, other.typeID == Self.hardwareModuleName,
                let value = other.value
            else { return nil }
            return Self.serialNumber(value)
        }
    }

    /// HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }
    private static func serialNumber(_ value: ASN1Any) -> String? {
        guard let der = try? value.octets(),
            let node = try? DER.parse(der),
            let octets = try? DER.sequence(
                node,
                identifier: .sequence,
                { nodes in
                    _ = try ASN1ObjectIdentifier(derEncoded: &nodes)
                    return try ASN1OctetString(derEncoded: &nodes).bytes
                }
            )
        else { return nil }
        guard !octets.isEmpty else { return nil }
        if octets.allSatisfy({ (0x21...0x7E).contains($0) }) { return String(decoding: octets, as: UTF8.self) }
        return octets.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
