/// The media types of EST, spelled as clients compare them: libest wants exactly one space before `smime-type`.
package enum ESTMediaType: String, CaseIterable, Hashable, Sendable {
    /// A certification request (RFC 5967).
    case pkcs10 = "application/pkcs10"
    /// A certs-only CMS (RFC 8551).
    case certsOnly = "application/pkcs7-mime; smime-type=certs-only"
    /// What a CA wants in a request (RFC 7030 section 4.5.2).
    case csrattrs = "application/csrattrs"
    /// A full PKI request (RFC 7030 section 4.3.1).
    case cmcRequest = "application/pkcs7-mime; smime-type=CMC-request"
    /// A full PKI response (RFC 7030 section 4.3.2).
    case cmcResponse = "application/pkcs7-mime; smime-type=CMC-response"
    /// A private key (RFC 5958), one part of a serverkeygen answer.
    case pkcs8 = "application/pkcs8"
    /// The serverkeygen answer (RFC 7030 section 4.4.2); the boundary parameter is to be added.
    case multipartMixed = "multipart/mixed"
    /// The reason of a refusal, for people (RFC 8951 section 3.3).
    case plainText = "text/plain; charset=utf-8"
    /// The reason of a refusal, for programs (RFC 9457).
    case problem = "application/problem+json"

    /// Type and subtype, without parameters.
    package var essence: Substring { Self.essence(of: rawValue) }

    /// True if the value of a `Content-Type` field names this type and subtype: case does not matter, and what comes
    /// after `;` is ignored (EST-20).
    package func matches(contentType: String) -> Bool {
        let other = Self.essence(of: contentType)
        guard other.utf8.count == essence.utf8.count else { return false }
        return zip(other.utf8, essence.utf8).allSatisfy { Self.lowercased($0) == Self.lowercased($1) }
    }

    private static func essence(of value: String) -> Substring {
        value.utf8.prefix { $0 != UInt8(ascii: ";") }.trimmingBlanks
    }

    private static func lowercased(_ octet: UInt8) -> UInt8 {
        (0x41...0x5A).contains(octet) ? octet | 0x20 : octet
    }
}
