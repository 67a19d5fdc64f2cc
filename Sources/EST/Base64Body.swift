import Foundation

/// The body of an EST message: DER in base64 (RFC 7030 section 4, RFC 8951 section 3.1). `Content-Transfer-Encoding`
/// says nothing here, whatever its value (EST-21).
package enum Base64Body {
    /// The most octets of a body that is decoded, blanks included.
    package static let octetsMax = 64 * 1024

    /// How the DER came.
    package enum Form: String, Hashable, Sendable {
        /// As the RFC has it.
        case base64
        /// With `-----BEGIN …-----` lines, as scripts send it.
        case pem
        /// As it is.
        case der
    }

    /// What else than base64 is taken (EST-23).
    package enum Leniency: Hashable, Sendable {
        case strict
        /// PEM and DER too.
        case pemAndDER
    }

    /// A decoded body.
    package struct Decoded: Hashable, Sendable {
        /// What the body holds; not parsed.
        package let der: [UInt8]
        package let form: Form
    }

    /// Decodes a body. CR, LF, space and TAB may stand anywhere (EST-22); all else is strict: the alphabet of RFC 4648
    /// section 4, full padding, no bits left over, nothing after the padding.
    package static func decode(
        _ body: [UInt8],
        leniency: Leniency = .strict,
        octetsMax: Int = Self.octetsMax
    ) throws(Base64BodyDefect) -> Decoded {
        guard body.count <= octetsMax else { throw .tooLarge(octets: body.count, max: octetsMax) }
        switch leniency {
        case .strict:
            break
        case .pemAndDER:
            if isDER(body) { return Decoded(der: body, form: .der) }
            if let lines = try pemLines(of: body) { return try Decoded(der: decode(lines), form: .pem) }
        }
        return try Decoded(der: decode(body[...]), form: .base64)
    }

    /// How base64 is laid out in lines.
    package enum Lines: Hashable, Sendable {
        /// One line and one LF: what strongSwan can read, and libest too in answers to an enrollment.
        case single
        /// Lines of 64 columns: what libest needs at /cacerts.
        case columns64

        /// The layout for an answer of `operation`. No form of /cacerts suits both main C clients: strongSwan cannot
        /// decode wrapped lines, libest cannot decode long ones and says who it is.
        package static func forAnswer(to operation: ESTOperation, userAgent: String?) -> Lines {
            guard operation == .cacerts, let userAgent, userAgent.utf8.starts(with: "libest".utf8) else {
                return .single
            }
            return .columns64
        }
    }

    /// Base64 of `der`, with an LF at its end.
    package static func encode(_ der: [UInt8], lines: Lines = .single) -> [UInt8] {
        let options: Data.Base64EncodingOptions =
            switch lines {
            case .single: []
            case .columns64: [.lineLength64Characters, .endLineWithLineFeed]
            }
        var text = [UInt8](Data(der).base64EncodedData(options: options))
        text.append(0x0A)
        return text
    }

    private static func decode(_ text: ArraySlice<UInt8>) throws(Base64BodyDefect) -> [UInt8] {
        let values = Base64Alphabet.values
        var der: [UInt8] = []
        der.reserveCapacity(text.count / 4 * 3 + 3)
        var bits: UInt32 = 0
        var count = 0
        var paddings = 0
        var index = text.startIndex
        while index < text.endIndex {
            // Four characters of the alphabet together, which is what most of a body is.
            if count == 0, paddings == 0, text.endIndex - index >= 4 {
                let first = values[Int(text[index])]
                let second = values[Int(text[index + 1])]
                let third = values[Int(text[index + 2])]
                let fourth = values[Int(text[index + 3])]
                if first | second | third | fourth < Base64Alphabet.padding {
                    der.append(first << 2 | second >> 4)
                    der.append(second << 4 | third >> 2)
                    der.append(third << 6 | fourth)
                    index += 4
                    continue
                }
            }
            let value = values[Int(text[index])]
            switch value {
            case Base64Alphabet.blank:
                break
            case Base64Alphabet.padding:
                paddings += 1
                guard count + paddings <= 4, count >= 2 else { throw .padding }
            case Base64Alphabet.invalid:
                throw .character(text[index], offset: index - text.startIndex)
            default:
                guard paddings == 0 else { throw .padding }
                bits = bits << 6 | UInt32(value)
                count += 1
                if count == 4 {
                    der.append(UInt8(truncatingIfNeeded: bits >> 16))
                    der.append(UInt8(truncatingIfNeeded: bits >> 8))
                    der.append(UInt8(truncatingIfNeeded: bits))
                    bits = 0
                    count = 0
                }
            }
            index += 1
        }
        guard count == 0 || count + paddings == 4 else { throw .padding }
        switch count {
        case 2:
            guard bits & 0x0F == 0 else { throw .leftoverBits }
            der.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 3:
            guard bits & 0x03 == 0 else { throw .leftoverBits }
            der.append(UInt8(truncatingIfNeeded: bits >> 10))
            der.append(UInt8(truncatingIfNeeded: bits >> 2))
        default:
            break
        }
        guard !der.isEmpty else { throw .empty }
        return der
    }

    /// DER of a SEQUENCE longer than 127 octets, which no text begins with: its second octet is not ASCII.
    private static func isDER(_ body: [UInt8]) -> Bool {
        body.count > 2 && body[0] == 0x30 && body[1] & 0x80 != 0
    }

    /// The base64 between the first BEGIN line and its END line; nil if the body does not begin with one.
    private static func pemLines(of body: [UInt8]) throws(Base64BodyDefect) -> ArraySlice<UInt8>? {
        let dashes = Array("-----".utf8)
        guard let start = body.firstIndex(where: { Base64Alphabet.values[Int($0)] != Base64Alphabet.blank }) else {
            return nil
        }
        guard body[start...].starts(with: "-----BEGIN ".utf8) else { return nil }
        guard let label = body[(start + dashes.count)...].firstRange(of: dashes),
            let end = body[label.upperBound...].firstRange(of: Array("-----END ".utf8))
        else { throw .pemLines }
        return body[label.upperBound..<end.lowerBound]
    }
}

/// Why a body is not base64. Texts do not repeat what was sent.
package enum Base64BodyDefect: Error, Hashable, CustomStringConvertible {
    case empty
    case tooLarge(octets: Int, max: Int)
    /// An octet that is not in the alphabet; the offset is counted from 0.
    case character(UInt8, offset: Int)
    case padding
    case leftoverBits
    case pemLines

    package var description: String {
        switch self {
        case .empty: "the body is empty; send the base64 of DER"
        case .tooLarge(let octets, let max): "the body has \(octets) octets; at most \(max) are taken"
        case .character(let octet, let offset):
            "the body is not base64: octet 0x\(String(octet, radix: 16)) at offset \(offset) "
                + "(RFC 8951 wants the base64 of DER, without PEM lines)"
        case .padding: "the body is not base64: its padding is missing or misplaced; is it cut off?"
        case .leftoverBits: "the body is not base64: its last character has bits that belong to no octet"
        case .pemLines: "the PEM has no END line; is it cut off?"
        }
    }
}
