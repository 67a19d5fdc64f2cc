import Foundation
import OpenSSL
import TestPeers
import Testing

/// CRLs (RFC 5280 section 5) between this module and the openssl program.
@Suite struct RevocationListTests {
    private static let serial: [UInt8] = [0x4D] + (1...19).map { UInt8($0) }
    private static let start = Date(timeIntervalSince1970: 1_768_478_400)

    private static func list(
        _ entries: [RevocationList.Entry] = [],
        base: Int64? = nil,
        places: [String] = [],
        at: Date = start
    ) -> RevocationList {
        RevocationList(
            number: 300,
            baseNumber: base,
            thisUpdate: at,
            nextUpdate: at.addingTimeInterval(86_400),
            places: places,
            entries: entries
        )
    }

    /// A CA that openssl made: its certificate and key.
    private static func authority(_ key: PrivateKey, _ folder: TemporaryDirectory) async throws -> [UInt8] {
        let file = folder.path + "/ca.pem"
        if !FileManager.default.fileExists(atPath: folder.path + "/ca.key") {
            try folder.write("ca.key", key.pem(passphrase: nil))
        }
        try await OpenSSLProgram.run([
            "req", "-x509", "-key", folder.path + "/ca.key", "-days", "30", "-subj", "/O=Ünder/CN=CA", "-utf8", "-out",
            file, "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ])
        return try await OpenSSLProgram.run(["x509", "-in", file, "-outform", "DER"])
    }

    private static func shown(_ der: [UInt8], _ folder: TemporaryDirectory) async throws -> String {
        let path = try folder.write("list.crl", der)
        let text = try await OpenSSLProgram.run(["crl", "-inform", "DER", "-in", path, "-noout", "-text"])
        #expect(
            try await OpenSSLProgram.accepts([
                "crl", "-inform", "DER", "-in", path, "-noout", "-CAfile", folder.path + "/ca.pem",
            ])
        )
        return String(decoding: text, as: UTF8.self)
    }

    @Test(arguments: [KeyAlgorithm.ecdsaP256, .ecdsaP384, .ecdsaP521, .rsa(bits: 2048), .ed25519])
    func `openssl takes a list and sees what is in it, and so do we`(algorithm: KeyAlgorithm) async throws {
        let folder = try TemporaryDirectory(prefix: "crl")
        let key = try PrivateKey.generate(algorithm)
        let issuer = try await Self.authority(key, folder)
        let list = Self.list(
            [
                .init(serialNumber: Self.serial, revokedAt: Self.start, reason: 1),
                .init(serialNumber: [0x01], revokedAt: Self.start, reason: 0),
            ],
            base: 7,
            places: ["http://pki.example/1.crl", "http://other.example/1.crl"]
        )
        let der = try list.signed(issuer: issuer, key: key, freshest: ["http://pki.example/1.delta.crl"])
        let text = try await Self.shown(der, folder)
        for part in [
            "Version 2 (0x1)", "X509v3 CRL Number: \n                300",
            "X509v3 Delta CRL Indicator: critical\n                7", "Issuing Distribution Point: critical",
            "URI:http://pki.example/1.crl", "URI:http://other.example/1.crl", "Only User Certificates",
            "X509v3 Authority Key Identifier", "Freshest CRL", "URI:http://pki.example/1.delta.crl",
            "Last Update: Jan 15 12:00:00 2026 GMT", "Next Update: Jan 16 12:00:00 2026 GMT",
            "Serial Number: 4D0102030405060708090A0B0C0D0E0F10111213", "Key Compromise",
        ] { #expect(text.contains(part), "\(part) is missing in \(text)") }
        // RFC 5280 section 5.3.1: unspecified is said by saying nothing.
        #expect(text.components(separatedBy: "CRL entry extensions").count == 2)
        #expect(try RevocationList(der: der, issuer: issuer) == list)
        #expect(try RevocationList.ownEntries(der) == list.entries)
    }

    @Test func `serial numbers and lists of all sizes are written as DER wants it`() async throws {
        let folder = try TemporaryDirectory(prefix: "crl")
        let key = try PrivateKey.generate(.ecdsaP256)
        let issuer = try await Self.authority(key, folder)
        let serials: [[UInt8]] = [[0x7F], [0x80], [0xFF, 0x00], [0x01, 0x00], [UInt8](repeating: 0xFF, count: 20)]
        for count in [1, 2, 3, 5, 2_000] {
            let entries = (0..<count).map { index in
                RevocationList.Entry(
                    serialNumber: index < serials.count
                        ? serials[index] : [0x4D, UInt8(index >> 8), UInt8(truncatingIfNeeded: index)],
                    revokedAt: Self.start.addingTimeInterval(Double(index % 7)),
                    reason: [0, 1, 6, 9][index % 4]
                )
            }
            let der = try Self.list(entries).signed(issuer: issuer, key: key)
            let text = try await Self.shown(der, folder)
            #expect(text.components(separatedBy: "Serial Number: ").count == count + 1)
            #expect(try RevocationList(der: der, issuer: issuer).entries == entries)
            #expect(try RevocationList.ownEntries(der) == entries)
            // What libcrypto writes again is what it read: it was DER.
            let again = try await OpenSSLProgram.run(["crl", "-inform", "DER", "-outform", "DER"], input: der)
            #expect(again == der)
        }
        for serial in [[], [0], [UInt8](repeating: 1, count: 21)] as [[UInt8]] {
            let list = Self.list([.init(serialNumber: serial, revokedAt: Self.start, reason: 0)])
            #expect(throws: OpenSSLError.self) { try list.signed(issuer: issuer, key: key) }
        }
    }

    @Test func `a list that is cut off anywhere is refused, and not one of our own`() async throws {
        let folder = try TemporaryDirectory(prefix: "crl")
        let key = try PrivateKey.generate(.ecdsaP256)
        let issuer = try await Self.authority(key, folder)
        let der = try Self.list([.init(serialNumber: Self.serial, revokedAt: Self.start, reason: 6)])
            .signed(issuer: issuer, key: key)
        for count in 0..<der.count {
            #expect(throws: OpenSSLError.self) { try RevocationList.ownEntries(Array(der.prefix(count))) }
            #expect(throws: OpenSSLError.self) { try RevocationList(der: Array(der.prefix(count)), issuer: issuer) }
        }
    }

    @Test func `a list of nothing has no empty list in it, and no place is a list of all`() async throws {
        let folder = try TemporaryDirectory(prefix: "crl")
        let key = try PrivateKey.generate(.ecdsaP256)
        let issuer = try await Self.authority(key, folder)
        let der = try Self.list().signed(issuer: issuer, key: key)
        let text = try await Self.shown(der, folder)
        #expect(text.contains("No Revoked Certificates"))
        #expect(!text.contains("Distribution Point") && !text.contains("Delta") && !text.contains("Freshest"))
        let parsed = try await OpenSSLProgram.run(["asn1parse", "-inform", "DER"], input: der)
        // RFC 5280 section 5.1.2.6: revokedCertificates is absent, and the times are followed by the extensions.
        let lines = String(decoding: parsed, as: UTF8.self).split(separator: "\n").map(String.init)
        let times = try #require(lines.lastIndex { $0.contains("UTCTIME") })
        #expect(lines[times + 1].contains("cont [ 0 ]"))
        #expect(try RevocationList(der: der, issuer: issuer).entries.isEmpty)
    }

    @Test func `times from 2050 on are written with four digits of the year`() async throws {
        let folder = try TemporaryDirectory(prefix: "crl")
        let key = try PrivateKey.generate(.ecdsaP256)
        let issuer = try await Self.authority(key, folder)
        let late = try Date("2050-01-01T00:00:00Z", strategy: .iso8601)
        let der = try Self.list(at: late).signed(issuer: issuer, key: key)
        let parsed = try await OpenSSLProgram.run(["asn1parse", "-inform", "DER"], input: der)
        #expect(String(decoding: parsed, as: UTF8.self).contains("GENERALIZEDTIME   :20500101000000Z"))
        #expect(try RevocationList(der: der, issuer: issuer).thisUpdate == late)
    }

    @Test func `a changed list, another CA's and one with something after it are refused`() async throws {
        let folder = try TemporaryDirectory(prefix: "crl")
        let other = try TemporaryDirectory(prefix: "crl")
        let key = try PrivateKey.generate(.ecdsaP256)
        let issuer = try await Self.authority(key, folder)
        let stranger = try await Self.authority(PrivateKey.generate(.ecdsaP256), other)
        let der = try Self.list([.init(serialNumber: Self.serial, revokedAt: Self.start, reason: 6)])
            .signed(issuer: issuer, key: key)
        #expect(throws: OpenSSLError.self) { try RevocationList(der: der, issuer: stranger) }
        #expect(throws: OpenSSLError.self) { try RevocationList(der: der + [0], issuer: issuer) }
        #expect(throws: OpenSSLError.self) { try RevocationList(der: [], issuer: issuer) }
        let place = try #require(der.firstRange(of: Self.serial)?.lowerBound)
        var changed = der
        changed[place + 5] ^= 1
        #expect(throws: OpenSSLError.self) { try RevocationList(der: changed, issuer: issuer) }
        // A key that is not the CA's signs nothing that gets out.
        #expect(throws: OpenSSLError.self) { try Self.list().signed(issuer: stranger, key: key) }
    }

    @Test func `a key in a token signs lists, and one whose CA names no key identifier does not`() async throws {
        let token = try await SoftToken.shared()
        for label in [SoftToken.ecdsaP256, SoftToken.rsa] {
            let folder = try TemporaryDirectory(prefix: "crl")
            let key = try PrivateKeyLocation(token.uri(label)).open(passphrase: nil)
            let issuer = try await Self.certificate(for: key, "subjectKeyIdentifier=hash", folder)
            let der = try Self.list().signed(issuer: issuer, key: key)
            #expect(try RevocationList(der: der, issuer: issuer) == Self.list())
            let bare = try await Self.certificate(for: key, "subjectKeyIdentifier=none", folder)
            #expect(throws: OpenSSLError.self) { try Self.list().signed(issuer: bare, key: key) }
        }
    }

    /// A certificate for a key that openssl cannot use, signed by another.
    private static func certificate(
        for key: PrivateKey,
        _ extensions: String,
        _ folder: TemporaryDirectory
    ) async throws -> [UInt8] {
        let other = try folder.write("other.key", PrivateKey.generate(.ecdsaP256).pem(passphrase: nil))
        let info = try folder.write("public.der", key.subjectPublicKeyInfo)
        let file = try folder.write("ca.ext", (extensions + "\n").utf8)
        try await OpenSSLProgram.run([
            "pkey", "-pubin", "-inform", "DER", "-in", info, "-out", folder.path + "/public.pem",
        ])
        try await OpenSSLProgram.run([
            "x509", "-new", "-subj", "/CN=Token CA", "-key", other, "-force_pubkey", folder.path + "/public.pem",
            "-days", "30", "-extfile", file, "-out", folder.path + "/token.pem",
        ])
        return try await OpenSSLProgram.run(["x509", "-in", folder.path + "/token.pem", "-outform", "DER"])
    }
}
