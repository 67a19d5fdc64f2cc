import Crypto
import FuzzKit

/// PKCS#10 requests (RFC 2986) around parts that the fuzzer makes, signed, so that a change does not end at the
/// signature. The key is always the same.
package enum FuzzRequest {
    private static let key = Property.given("a fixed Ed25519 key") {
        try Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 0x4D, count: 32))
    }

    /// The SubjectPublicKeyInfo of the key.
    package static let publicKeyInfo = FuzzDER.node(
        FuzzDER.sequence,
        FuzzDER.ed25519,
        FuzzDER.bits([UInt8](key.publicKey.rawRepresentation))
    )

    /// A request's DER.
    /// - Parameters:
    ///   - subject: The relative names of its subject, in DER.
    ///   - attributes: Its attributes, in DER.
    package static func der(subject: [UInt8], attributes: [UInt8] = []) throws -> [UInt8] {
        let info = FuzzDER.node(
            FuzzDER.sequence,
            FuzzDER.node(FuzzDER.integer, [0]),
            FuzzDER.node(FuzzDER.sequence, subject),
            publicKeyInfo,
            FuzzDER.node(0xA0, attributes)
        )
        let signature = try key.signature(for: info)
        return FuzzDER.node(FuzzDER.sequence, info, FuzzDER.ed25519, FuzzDER.bits([UInt8](signature)))
    }

    /// The attribute extensionRequest with these extensions, in DER.
    package static func extensionRequest(_ extensions: [UInt8]) -> [UInt8] {
        FuzzDER.node(
            FuzzDER.sequence,
            FuzzDER.extensionRequest,
            FuzzDER.node(FuzzDER.set, FuzzDER.node(FuzzDER.sequence, extensions))
        )
    }
}
