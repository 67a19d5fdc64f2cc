import EST
import TestPeers
import Testing

struct Base64BodyTests {
    /// Octets of every value, of a length that leaves each remainder by 3.
    static func octets(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 7) } }

    @Test(arguments: [1, 2, 3, 4, 47, 48, 49, 255, 256, 257, 767, 4096])
    func `What openssl base64 writes, wrapped or not, is read; what is written, openssl reads`(count: Int) async throws
    {
        let der = Self.octets(count)
        let wrapped = try await Program.run("openssl", ["base64"], input: der)
        let single = try await Program.run("openssl", ["base64", "-A"], input: der)
        #expect(try Base64Body.decode(wrapped.output).der == der)
        #expect(try Base64Body.decode(single.output) == Base64Body.decode(wrapped.output))
        #expect(Base64Body.encode(der) == single.output + [0x0A])
        #expect(Base64Body.encode(der, lines: .columns64) == wrapped.output)
        let back = try await Program.run("openssl", ["base64", "-d", "-A"], input: Base64Body.encode(der))
        #expect(back.output == der)
    }

    @Test(arguments: ["\n", "\r\n", " ", "\t", "\r", " \t\r\n \n"])
    func `EST-22: blanks may stand anywhere`(blank: String) throws {
        let der = Self.octets(100)
        let text = String(decoding: Base64Body.encode(der).dropLast(), as: UTF8.self)
        for width in [1, 2, 3, 5, 64, 76, 1000] {
            var body = blank
            for (index, character) in text.enumerated() {
                body.append(character)
                if index % width == width - 1 { body += blank }
            }
            let decoded = try Base64Body.decode(Array(body.utf8) + Array(blank.utf8))
            #expect(decoded.der == der)
            #expect(decoded.form == .base64)
        }
    }

    @Test(arguments: [
        ("", Base64BodyDefect.empty), (" \r\n", .empty), ("TQ", .padding), ("TQ=", .padding), ("TQ===", .padding),
        ("TWFu=", .padding), ("TWFuT", .padding), ("=TWF", .padding), ("T=Q=", .padding), ("TQ==TWFu", .padding),
        ("TQ==TQ==", .padding), ("====", .padding), ("TR==", .leftoverBits), ("TWF=", .leftoverBits),
        ("TWF-", .character(0x2D, offset: 3)), ("TWF_", .character(0x5F, offset: 3)),
        ("TWFu\u{0B}", .character(0x0B, offset: 4)), ("TWFu\u{0}", .character(0, offset: 4)),
        ("TWFué", .character(0xC3, offset: 4)),
        ("-----BEGIN X-----\nTWFu\n-----END X-----\n", .character(0x2D, offset: 0)),
    ])
    func `EST-23: all else is refused when strict`(body: String, defect: Base64BodyDefect) {
        #expect(throws: defect) { try Base64Body.decode(Array(body.utf8)) }
    }

    @Test
    func `EST-23: DER and PEM of a real request are taken when lenient, and told apart`() async throws {
        let folder = try TemporaryDirectory()
        let keyed = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"]
        let pem = try await Program.run("openssl", keyed + ["-keyout", folder.path + "/key.pem"]).output
        let der = try await Program.run("openssl", ["req", "-outform", "DER"], input: pem).output
        let newPEM = Array(String(decoding: pem, as: UTF8.self).replacing("BEGIN ", with: "BEGIN NEW ").utf8)
        for (body, form) in [
            (pem, Base64Body.Form.pem), (newPEM, .pem), ([0x0A] + pem, .pem), (der, .der),
            (Base64Body.encode(der), .base64),
        ] {
            let decoded = try Base64Body.decode(body, leniency: .pemAndDER)
            #expect(decoded.der == der)
            #expect(decoded.form == form)
            if form != .base64 { #expect(throws: Base64BodyDefect.self) { try Base64Body.decode(body) } }
        }
        #expect(throws: Base64BodyDefect.pemLines) {
            try Base64Body.decode(Array(pem.dropLast(40)), leniency: .pemAndDER)
        }
    }

    @Test
    func `EST-70: a body over the bound is refused before it is decoded`() {
        let body = [UInt8](repeating: 0x41, count: 1024)
        #expect(throws: Base64BodyDefect.tooLarge(octets: 1024, max: 1023)) {
            try Base64Body.decode(body, octetsMax: 1023)
        }
        #expect(throws: Never.self) { try Base64Body.decode(body, octetsMax: 1024) }
    }

    @Test(arguments: [
        (ESTOperation.cacerts, "libest 3.2.0p" as String?, Base64Body.Lines.columns64),
        (.cacerts, "curl/8.0 libest", .single),
        (.cacerts, nil, .single), (.simpleenroll, "libest 3.2.0p", .single),
    ])
    func `Only libest gets short lines, and only at cacerts`(
        operation: ESTOperation,
        userAgent: String?,
        lines: Base64Body.Lines
    ) {
        #expect(Base64Body.Lines.forAnswer(to: operation, userAgent: userAgent) == lines)
    }

    @Test(arguments: [
        ("0", 0 as Int?), ("120", 120), (" 7 ", 7), ("99999999999", RetryAfter.secondsMax),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37), ("Sun, 06 Nov 1994 08:48:00 GMT", 0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", RetryAfter.secondsMax), ("Sun, 06 Nov 1994 08:49:37 UTC", nil),
        ("-1", nil), ("1.5", nil), ("", nil), ("soon", nil), ("9999999999999999999999999999", nil),
        ("Sun, 06 Foo 1994 08:49:37 GMT", nil), ("Foo, 06 Nov 1994 08:49:37 GMT", nil), ("120\u{600} ", nil),
    ])
    func `Retry-After is read as seconds and as a date`(value: String, seconds: Int?) {
        // 784111777 is 1994-11-06T08:49:37Z.
        #expect(RetryAfter.parse(value, now: 784_111_740) == seconds.map { .seconds($0) })
    }

    @Test
    func `EST-27: Retry-After is sent as digits, rounded up`() {
        #expect(RetryAfter.format(.milliseconds(1500)) == "2")
        #expect(RetryAfter.format(.zero) == "1")
        #expect(RetryAfter.format(.seconds(-5)) == "1")
        #expect(RetryAfter.format(.seconds(100_000_000)) == String(RetryAfter.secondsMax))
    }
}
