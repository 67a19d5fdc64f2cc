package import Foundation
import Synchronization
import X509

/// A certificate that the lint let through and that waits to be authorized. Whoever authorizes it has it signed, once.
package final class PreparedCertificate: Sendable {
    private enum State: ~Copyable {
        case linted(LintedCertificate, issuer: Issuer)
        case signed(IssuedCertificate)
        case failed(SigningError)
    }

    package let serialNumber: [UInt8]
    package let notBefore: Date
    package let notAfter: Date
    /// Its CRL among those of its issuer; 0 if its distribution point names none.
    package let crlShard: Int
    private let state: Mutex<State>

    package init(_ linted: consuming LintedCertificate, issuer: Issuer) {
        serialNumber = Array(linted.template.serialNumber.bytes)
        notBefore = linted.template.notBefore
        notAfter = linted.template.notAfter
        crlShard = linted.template.crlShard
        state = Mutex(.linted(linted, issuer: issuer))
    }

    /// True once it was signed.
    package var isSigned: Bool {
        state.withLock { state in
            switch state {
            case .signed: true
            case .linted: false
            case .failed: false
            }
        }
    }

    /// The certificate, signed at the first call and the same from then on.
    package func signed() throws(SigningError) -> IssuedCertificate {
        let result: Result<IssuedCertificate, SigningError> = state.withLock { state in
            switch consume state {
            case .linted(let linted, let issuer):
                do throws(SigningError) {
                    let issued = try issuer.sign(linted)
                    state = .signed(issued)
                    return .success(issued)
                } catch {
                    state = .failed(error)
                    return .failure(error)
                }
            case .signed(let issued):
                state = .signed(issued)
                return .success(issued)
            case .failed(let error):
                state = .failed(error)
                return .failure(error)
            }
        }
        return try result.get()
    }
}
