import Crypto
import CryptoExtras
import Foundation
import OpenSSL
import PKI
import SwiftASN1
import TestKit
import TestPeers
import Testing
import X509

struct KeyPolicyTests {
    private func defect(_ der: [UInt8], policy: KeyPolicy = KeyPolicy()) -> RequestDefect? {
        do throws(RequestDefect) {
            _ = try UnverifiedRequest(der: der).verified(policy)
            return nil
        } catch {
            return error
        }
    }

    private func request(publicKey: [UInt8]) throws -> [UInt8] {
        var request = HandmadeRequest()
        request.publicKey = publicKey
        return try request.der()
    }

    private func rsa(modulus: [UInt8], exponent: [UInt8]) throws -> [UInt8] {
        func integer(_ octets: [UInt8]) -> [UInt8] {
            HandmadeDER.node(HandmadeDER.integer, (octets.first ?? 0) & 0x80 == 0 ? octets : [0] + octets)
        }
        return HandmadeDER.node(
            HandmadeDER.sequence,
            HandmadeDER.node(
                HandmadeDER.sequence,
                try HandmadeDER.identifier([1, 2, 840, 113549, 1, 1, 1]),
                HandmadeDER.null
            ),
            HandmadeDER.bits(HandmadeDER.node(HandmadeDER.sequence, integer(modulus), integer(exponent)))
        )
    }

    @Test(arguments: DeviceKey.Kind.allCases)
    func `a profile takes the kinds that it names and no others (K-01 to K-03)`(_ kind: DeviceKey.Kind) throws {
        let der = try RequestDraft(.make(kind)).der()
        let family = try #require(KeyPolicy.Family(rawValue: kind == .rsa2048 ? "rsa" : kind.rawValue))
        #expect(defect(der, policy: KeyPolicy(families: [family])) == nil)
        let others = Set(KeyPolicy.Family.allCases).subtracting([family])
        guard case .key(.kindNotAccepted) = defect(der, policy: KeyPolicy(families: others)) else {
            Issue.record("\(kind) was taken")
            return
        }
    }

    @Test func `RSA keys below a profile's least size are refused, and no profile lowers the floor (K-01)`() throws {
        let der = try RequestDraft(.make(.rsa2048)).der()
        #expect(defect(der, policy: KeyPolicy(rsaBitsMin: 512)) == nil)
        #expect(KeyPolicy(rsaBitsMin: 512).rsaBitsMin == 2048)
        #expect(defect(der, policy: KeyPolicy(rsaBitsMin: 3072)) == .key(.rsaSize(bits: 2048, min: 3072, max: 8192)))
    }

    @Test(arguments: [1024, 1536, 2047, 2052])
    func `RSA moduli that are too short or no multiple of eight bits are refused (K-01)`(_ bits: Int) async throws {
        let modulus = try await OpenSSLFixtures.rsaModulus(bits: bits)
        let found = defect(try request(publicKey: rsa(modulus: modulus, exponent: [1, 0, 1])))
        #expect(
            found.map { if case .key(.rsaSize) = $0 { true } else { $0 == .unsupportedKey || $0.isMalformed } } == true
        )
    }

    @Test(arguments: [[3], [17], [1, 0, 0], [0xFF, 0xFE]] as [[UInt8]])
    func `RSA exponents that are small or even are refused (K-01)`(_ exponent: [UInt8]) async throws {
        let modulus = try await OpenSSLFixtures.rsaModulus(bits: 2048)
        let found = defect(try request(publicKey: rsa(modulus: modulus, exponent: exponent)))
        #expect(found == .key(.rsaExponent) || found == .unsupportedKey || found?.isMalformed == true)
    }

    @Test func `an RSA exponent above 2^256 is refused (FIPS 186-5 section 5.1)`() async throws {
        let modulus = try await OpenSSLFixtures.rsaModulus(bits: 2048)
        let exponent: [UInt8] = [1] + [UInt8](repeating: 0, count: 32) + [1]
        let found = defect(try request(publicKey: rsa(modulus: modulus, exponent: exponent)))
        #expect(found == .key(.rsaExponent) || found == .unsupportedKey || found?.isMalformed == true)
    }

    @Test func `a modulus with a small factor is refused though its size is right (K-01)`() async throws {
        // Three times 2^2046 and a little: odd, of 2048 bits, divisible by three.
        var modulus = [UInt8](repeating: 0, count: 256)
        modulus[0] = 0xC0
        modulus[255] = 0x03
        #expect(
            defect(try request(publicKey: rsa(modulus: modulus, exponent: [1, 0, 1]))) == .key(.rsaWeak(.smallFactor))
        )
    }

    @Test(arguments: ["secp256k1", "brainpoolP256r1", "secp224r1", "prime192v1"])
    func `other curves are refused (K-02)`(_ curve: String) async throws {
        let key = try await OpenSSLFixtures.publicKey(["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(curve)"])
        let found = defect(try request(publicKey: key))
        #expect(found == .unsupportedKey || found?.isMalformed == true)
    }

    @Test func `explicit curve parameters are refused though they are those of P-256 (K-02)`() async throws {
        let key = try await OpenSSLFixtures.publicKey([
            "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-pkeyopt", "ec_param_enc:explicit",
        ])
        let found = defect(try request(publicKey: key))
        #expect(found == .unsupportedKey || found?.isMalformed == true)
    }

    @Test func `a point that is not on the curve, or is at infinity, is refused (K-02)`() throws {
        let sound = [UInt8](P256.Signing.PrivateKey().publicKey.derRepresentation)
        var off = sound
        off[off.count - 1] ^= 1
        #expect(defect(try request(publicKey: off)) != nil)
        let algorithm = Array(sound[2..<23])
        let infinity = HandmadeDER.node(HandmadeDER.sequence, algorithm, HandmadeDER.bits([0]))
        #expect(defect(try request(publicKey: infinity)) != nil)
    }

    @Test(arguments: ["X25519", "X448", "ED448"])
    func `keys that cannot sign, or of kinds not named, are refused (K-03)`(_ algorithm: String) async throws {
        let key = try await OpenSSLFixtures.publicKey(["-algorithm", algorithm])
        let found = defect(try request(publicKey: key))
        #expect(found == .unsupportedKey || found?.isMalformed == true)
    }

    @Test func `Ed25519 points of small order are refused (K-03)`() throws {
        var encodings: [[UInt8]] = [[UInt8](repeating: 0, count: 32), [1] + [UInt8](repeating: 0, count: 31)]
        encodings.append([0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F])
        for encoding in encodings {
            let key = HandmadeDER.node(
                HandmadeDER.sequence,
                HandmadeDER.node(HandmadeDER.sequence, try HandmadeDER.identifier([1, 3, 101, 112])),
                HandmadeDER.bits(encoding)
            )
            #expect(defect(try request(publicKey: key)) == .key(.smallOrderPoint))
        }
    }

    @Test func `a request signed with SHA-1 is refused (K-05)`() throws {
        let key = Certificate.PrivateKey(try _RSA.Signing.PrivateKey(keySize: .bits2048))
        let request = try CertificateSigningRequest(
            version: .v1,
            subject: .empty,
            privateKey: key,
            attributes: .init(),
            signatureAlgorithm: .sha1WithRSAEncryption
        )
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        #expect(defect(serializer.serializedBytes) == .signatureAlgorithm)
    }
}

extension RequestDefect {
    fileprivate var isMalformed: Bool { if case .malformed = self { true } else { false } }
}

/// Keys that only the openssl program makes.
enum OpenSSLFixtures {
    struct Failure: Error { let text: String }

    /// DER of the SubjectPublicKeyInfo of a fresh key.
    static func publicKey(_ arguments: [String]) async throws -> [UInt8] {
        let made = try await Program.run("openssl", ["genpkey"] + arguments)
        guard made.succeeded else { throw Failure(text: made.errorOutput) }
        let encoded = try await Program.run(
            "openssl",
            ["pkey", "-pubout", "-outform", "DER"]
                + (arguments.contains("ec_param_enc:explicit") ? ["-ec_param_enc", "explicit"] : []),
            input: made.output
        )
        guard encoded.succeeded else { throw Failure(text: encoded.errorOutput) }
        return encoded.output
    }

    /// A modulus of two sound primes, with that many bits.
    static func rsaModulus(bits: Int) async throws -> [UInt8] {
        let made = try await Program.run("openssl", ["genrsa", "\(bits)"])
        let shown = try await Program.run("openssl", ["rsa", "-modulus", "-noout"], input: made.output)
        guard shown.succeeded, let digits = shown.text.split(separator: "=").last else {
            throw Failure(text: made.errorOutput + shown.errorOutput)
        }
        let hexadecimal = Array(digits.filter(\.isHexDigit))
        let even = hexadecimal.count % 2 == 0 ? hexadecimal : ["0"] + hexadecimal
        return stride(from: 0, to: even.count, by: 2).compactMap { UInt8(String(even[$0...($0 + 1)]), radix: 16) }
    }
}
