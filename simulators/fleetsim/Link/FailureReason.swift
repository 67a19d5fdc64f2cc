import Foundation
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// The reason of a failed exchange in a few words, to count by: the same cause gives the same words.
enum FailureReason {
    /// Of who was cut short by the end of the run, whatever that looked like to him.
    static let interrupted = "interrupted"

    static func text(_ error: any Error) -> String {
        switch error {
        case let error as IOError:
            return unsafe String(cString: strerror(error.errnoCode)).lowercased()
        case is NIOSSLError, is BoringSSLError:
            return "TLS: " + (tlsReason("\(error)") ?? ServerReason.shortened("\(error)"))
        default:
            return ServerReason.shortened("\(error)")
        }
    }

    /// True if nobody listens where the server should be.
    static func isRefusedConnection(_ error: any Error) -> Bool {
        switch error {
        case let error as IOError: error.errnoCode == ECONNREFUSED
        case let error as NIOConnectionError: error.connectionErrors.contains { isRefusedConnection($0.error) }
        default: false
        }
    }

    /// BoringSSL's name of what went wrong, such as `CERTIFICATE_VERIFY_FAILED`, which stands behind its function.
    static func tlsReason(_ description: String) -> String? {
        guard let mark = description.firstRange(of: "OPENSSL_internal:") else { return nil }
        let name = description[mark.upperBound...].prefix { $0.isUppercase || $0.isNumber || $0 == "_" }
        return name.isEmpty ? nil : name.replacing("_", with: " ").lowercased()
    }
}
