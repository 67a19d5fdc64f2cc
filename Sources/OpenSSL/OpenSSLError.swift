import COpenSSL

/// A call of libcrypto that failed: what was attempted, and why in the library's words.
///
/// Never holds key material: of the library's error queue only its fixed reason texts are kept, not the data beside.
package struct OpenSSLError: Error, Hashable, CustomStringConvertible {
    /// What was attempted, as a phrase: "read the private key".
    package let operation: String
    /// Why it failed, innermost first; may be empty where libcrypto says nothing.
    package let reasons: [String]

    package init(operation: String, reasons: [String]) {
        self.operation = operation
        self.reasons = reasons
    }

    package var description: String {
        reasons.isEmpty ? "could not \(operation)" : "could not \(operation): \(reasons.joined(separator: "; "))"
    }
}

/// The calling thread's queue of libcrypto errors. It is cleared before a call and drained after one that failed,
/// with no suspension between, so both are on one thread and no error is ever blamed on a later call.
enum ErrorQueue {
    /// libcrypto keeps this many errors a thread (ERR_NUM_ERRORS).
    private static let reasonsMax = 16

    static func clear() { ERR_clear_error() }

    /// Empties the queue into an error for `operation`; the queue's own texts come after `reason`, if that is given.
    static func drain(_ operation: String, reason: String? = nil) -> OpenSSLError {
        var reasons = reason.map { [$0] } ?? []
        for _ in 0..<reasonsMax {
            let code = ERR_get_error()
            guard code != 0 else { break }
            guard let text = unsafe ERR_reason_error_string(code) else {
                reasons.append("libcrypto error \(String(code, radix: 16))")
                continue
            }
            let words = unsafe String(cString: text)
            if reasons.last != words { reasons.append(words) }
        }
        ERR_clear_error()
        return OpenSSLError(operation: operation, reasons: reasons)
    }
}
