import EST
import Foundation
import FuzzKit

/// What `Base64Body` promises.
enum BodyProperties {
    static func check(_ input: [UInt8]) {
        let strict = decoded(input, .strict)
        checkStrict(strict, input)
        checkLenient(decoded(input, .pemAndDER), strict: strict, input)
        checkBound(input)
        checkEncoding(of: input)
    }

    private static func decoded(_ body: [UInt8], _ leniency: Base64Body.Leniency) -> Base64Body.Decoded? {
        do throws(Base64BodyDefect) {
            return try Base64Body.decode(body, leniency: leniency)
        } catch {
            Property.checkReason(error.description)
            if case .character(let octet, let offset) = error {
                Property.check(body.dropFirst(leniency == .strict ? offset : 0).contains(octet), "no such octet")
            }
            return nil
        }
    }

    /// What is taken is base64 as RFC 4648 section 4 writes it and nothing else, blanks apart; all of that is taken.
    private static func checkStrict(_ decoded: Base64Body.Decoded?, _ body: [UInt8]) {
        let text = body.filter { ![0x20, 0x09, 0x0D, 0x0A].contains($0) }
        if let decoded {
            Property.check(decoded.form == .base64, "the strict form is base64")
            Property.check(!decoded.der.isEmpty, "an empty body was taken")
            Property.check(decoded.der.count == text.count / 4 * 3 - text.count { $0 == 0x3D }, "octets are missing")
            Property.check(Base64Body.encode(decoded.der) == text + [0x0A], "it would be written otherwise")
        } else if body.count <= Base64Body.octetsMax, !text.isEmpty, let other = Data(base64Encoded: Data(text)) {
            Property.check([UInt8](other.base64EncodedData()) != text, "sound base64 was turned away")
        }
    }

    private static func checkLenient(
        _ lenient: Base64Body.Decoded?,
        strict: Base64Body.Decoded?,
        _ body: [UInt8]
    ) {
        Property.check(strict == nil || lenient == strict, "leniency changed what is base64 anyway")
        switch lenient?.form {
        case .der: Property.check(lenient?.der == body, "DER was changed")
        case .base64: Property.check(lenient == strict, "leniency took other base64")
        case .pem:
            Property.check(strict == nil, "PEM is no base64")
            Property.check((lenient?.der.count ?? 0) * 4 < body.count * 3, "more octets than the PEM has")
        case nil: break
        }
    }

    /// Nothing longer than the bound is decoded, whatever it is.
    private static func checkBound(_ body: [UInt8]) {
        guard !body.isEmpty else { return }
        for leniency in [Base64Body.Leniency.strict, .pemAndDER] {
            do throws(Base64BodyDefect) {
                _ = try Base64Body.decode(body, leniency: leniency, octetsMax: body.count - 1)
                Property.check(false, "a body over the bound was taken")
            } catch {
                Property.check(error == .tooLarge(octets: body.count, max: body.count - 1), "not for its length")
            }
        }
    }

    /// Whatever is written is read again, in lines, with blanks anywhere, and as PEM.
    private static func checkEncoding(of der: [UInt8]) {
        guard !der.isEmpty, der.count <= Base64Body.octetsMax / 2 else { return }
        let expected = Base64Body.Decoded(der: der, form: .base64)
        for lines in [Base64Body.Lines.single, .columns64] {
            let text = Base64Body.encode(der, lines: lines)
            Property.check(decoded(text, .strict) == expected, "what was written is not read again")
            let longest = text.split(separator: 0x0A).map(\.count).max() ?? 0
            Property.check(lines == .single || longest <= 64, "a line has \(longest) columns")
        }
        let text = Base64Body.encode(der)
        let blanks: [UInt8] = [0x20, 0x09, 0x0D, 0x0A]
        let spaced = text.enumerated().flatMap { index, octet in
            Int(der[index % der.count]) % 5 == 0 ? [blanks[index % blanks.count], octet] : [octet]
        }
        Property.check(decoded(spaced, .strict) == expected, "blanks change what is read (RFC 8951 section 3.1)")
        let begin = "-----BEGIN CERTIFICATE REQUEST-----\n"
        let end = "-----END CERTIFICATE REQUEST-----\n"
        let pem = Array(begin.utf8) + Base64Body.encode(der, lines: .columns64) + Array(end.utf8)
        Property.check(decoded(pem, .pemAndDER)?.der == der, "PEM is not read")
        Property.check(decoded(pem, .strict) == nil, "PEM is no base64")
    }
}

extension Base64Body.Decoded {
    /// As it should come out. There is no other way to make one than to decode.
    fileprivate init(der: [UInt8], form: Base64Body.Form) {
        self = Property.given("decoding sound base64") {
            try Base64Body.decode([UInt8](Data(der).base64EncodedData()))
        }
        Property.check(self.der == der && self.form == form, "another library's base64 is read otherwise")
    }
}
