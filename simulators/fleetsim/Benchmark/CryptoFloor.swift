import Crypto
import Foundation
import Glibc

/// What the cryptography of one enrollment costs a server, whoever wrote it: an X25519 key and its agreement, a P-256
/// signature for TLS, the client's CertificateVerify, two signatures of its chain, the request's signature, and the
/// signature of the certificate. Measured with the BoringSSL that swift-crypto brings, on one thread.
struct CryptoFloor: Encodable {
    /// Milliseconds of CPU for all of it, median of the rounds.
    let milliseconds: Double
    let millisecondsMin: Double
    let millisecondsMax: Double
    /// Medians of its kinds, in microseconds for one operation.
    let agreementMicroseconds: Double
    let signMicroseconds: Double
    let verifyMicroseconds: Double

    /// CertificateVerify, two of the chain, the request.
    private static let verifications = 4.0
    /// TLS, the certificate.
    private static let signatures = 2.0

    static func measure(rounds: Int, batch: Int) throws -> CryptoFloor {
        let peer = Curve25519.KeyAgreement.PrivateKey().publicKey
        let key = P256.Signing.PrivateKey()
        let message = SHA256.hash(data: Array("an enrollment".utf8))
        let signature = try key.signature(for: message)
        var totals: [Double] = []
        var agreements: [Double] = []
        var signings: [Double] = []
        var verifyings: [Double] = []
        for _ in 0..<rounds {
            let agreement = try time(batch) {
                _ = try Curve25519.KeyAgreement.PrivateKey().sharedSecretFromKeyAgreement(with: peer)
            }
            let signing = try time(batch) { _ = try key.signature(for: message) }
            let publicKey = key.publicKey
            let verifying = try time(batch) {
                // A server meets each device's key for the first time.
                let fresh = try P256.Signing.PublicKey(x963Representation: publicKey.x963Representation)
                guard fresh.isValidSignature(signature, for: message) else {
                    throw CryptoKitError.authenticationFailure
                }
            }
            agreements.append(agreement)
            signings.append(signing)
            verifyings.append(verifying)
            totals.append((agreement + Self.signatures * signing + Self.verifications * verifying) / 1000)
        }
        return CryptoFloor(
            milliseconds: median(totals),
            millisecondsMin: totals.min() ?? 0,
            millisecondsMax: totals.max() ?? 0,
            agreementMicroseconds: median(agreements),
            signMicroseconds: median(signings),
            verifyMicroseconds: median(verifyings)
        )
    }

    /// Microseconds of this thread's CPU for one `body`.
    private static func time(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
        let began = threadMicroseconds()
        for _ in 0..<count { try body() }
        return (threadMicroseconds() - began) / Double(count)
    }

    private static func threadMicroseconds() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
}
