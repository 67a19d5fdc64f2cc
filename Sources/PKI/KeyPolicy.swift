import Crypto
import CryptoExtras
package import OpenSSL
package import X509

/// Which public keys may be certified: a property of a certificate profile, and a floor that no profile may lower.
package struct KeyPolicy: Hashable, Sendable {
    /// RSA sizes in bits that are ever accepted (K-01): below is weak, above costs the server too much to verify.
    package static let rsaBitsFloor = 2048
    package static let rsaBitsCeiling = 8192
    private static let rsaBitsMultiple = 8
    /// FIPS 186-5 section 5.1: 2^16 < e < 2^256. The exponent's size in octets.
    private static let rsaExponentOctetsMax = 32
    private static let rsaExponentMin: UInt64 = 65537

    /// The kinds that a profile can name.
    package enum Family: String, CaseIterable, Hashable, Sendable {
        case p256 = "p256"
        case p384 = "p384"
        case p521 = "p521"
        case rsa = "rsa"
        case ed25519 = "ed25519"
    }

    /// The accepted families.
    package let families: Set<Family>
    /// The fewest bits of an RSA key.
    package let rsaBitsMin: Int

    package init(families: Set<Family> = Set(Family.allCases), rsaBitsMin: Int = KeyPolicy.rsaBitsFloor) {
        self.families = families
        self.rsaBitsMin = max(rsaBitsMin, Self.rsaBitsFloor)
    }

    /// Why `key` may not be certified, or nil if it may.
    package func defect(of key: Certificate.PublicKey) -> KeyDefect? {
        guard let kind = PublicKeyInfo.kind(of: key) else { return .kindNotAccepted("this kind of key") }
        switch kind {
        case .p256: return families.contains(.p256) ? nil : .kindNotAccepted(kind.description)
        case .p384: return families.contains(.p384) ? nil : .kindNotAccepted(kind.description)
        case .p521: return families.contains(.p521) ? nil : .kindNotAccepted(kind.description)
        case .ed25519:
            guard families.contains(.ed25519) else { return .kindNotAccepted(kind.description) }
            return Ed25519SmallOrder.contains(key.subjectPublicKeyInfoBytes) ? .smallOrderPoint : nil
        case .rsa(let bits):
            guard families.contains(.rsa) else { return .kindNotAccepted(kind.description) }
            return rsaDefect(of: key, bits: bits)
        }
    }

    private func rsaDefect(of key: Certificate.PublicKey, bits: Int) -> KeyDefect? {
        guard bits >= rsaBitsMin, bits <= Self.rsaBitsCeiling, bits % Self.rsaBitsMultiple == 0 else {
            return .rsaSize(bits: bits, min: rsaBitsMin, max: Self.rsaBitsCeiling)
        }
        guard let primitives = try? _RSA.Signing.PublicKey(key)?.getKeyPrimitives() else {
            return .kindNotAccepted("this RSA key")
        }
        let exponent = primitives.publicExponent.drop { $0 == 0 }
        guard exponent.count <= Self.rsaExponentOctetsMax, (exponent.last ?? 0) & 1 == 1 else { return .rsaExponent }
        if exponent.count <= MemoryLayout<UInt64>.size {
            let value = exponent.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard value >= Self.rsaExponentMin else { return .rsaExponent }
        }
        return RSAModulus.weakness(of: [UInt8](primitives.modulus)).map { .rsaWeak($0) }
    }
}

/// What is wrong with a public key.
package enum KeyDefect: Hashable, Sendable, CustomStringConvertible {
    case kindNotAccepted(String)
    case rsaSize(bits: Int, min: Int, max: Int)
    case rsaExponent
    case rsaWeak(RSAWeakness)
    case smallOrderPoint

    package var description: String {
        switch self {
        case .kindNotAccepted(let kind): "\(kind) is not accepted here"
        case .rsaSize(let bits, let min, let max):
            "the RSA key has \(bits) bits; \(min) to \(max) in steps of 8 are accepted"
        case .rsaExponent: "the RSA public exponent must be odd, at least 65537 and below 2^256"
        case .rsaWeak(let weakness): "the RSA key is weak (\(weakness)); make another one with a sound generator"
        case .smallOrderPoint: "the Ed25519 key is a point of small order"
        }
    }
}

/// The encodings of Curve25519's points of order 1, 2, 4 and 8 (RFC 7748 section 7, RFC 8032 section 5.1.7): a
/// signature under such a key proves nothing.
private enum Ed25519SmallOrder {
    private static let encodings: Set<[UInt8]> = {
        let p: [UInt8] = [0xED] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]
        let order8a: [UInt8] = [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
            0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ]
        let order8b: [UInt8] = [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
            0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ]
        func adding(_ point: [UInt8], low: UInt8) -> [UInt8] { [low] + point.dropFirst() }
        let zero = [UInt8](repeating: 0, count: 32)
        let one: [UInt8] = [1] + [UInt8](repeating: 0, count: 31)
        let plain = [zero, one, order8a, order8b, adding(p, low: 0xEC), p, adding(p, low: 0xEE)]
        return Set(plain + plain.map { Array($0.dropLast()) + [$0[31] | 0x80] })
    }()

    static func contains(_ encoding: ArraySlice<UInt8>) -> Bool { encodings.contains(Array(encoding)) }
}
