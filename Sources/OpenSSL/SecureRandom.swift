import COpenSSL

/// Random octets fit for keys, nonces and serial numbers.
package enum SecureRandom {
    /// The most octets of one call.
    package static let countMax = 1 << 20

    /// `count` octets from libcrypto's generator, which the kernel seeds.
    package static func bytes(count: Int) throws(OpenSSLError) -> [UInt8] {
        let operation = "make random octets"
        guard (0...countMax).contains(count), let length = Int32(exactly: count) else {
            throw OpenSSLError(operation: operation, reasons: ["\(count) is not 0 to \(countMax)"])
        }
        ErrorQueue.clear()
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe RAND_bytes(&bytes, length) == 1 else { throw ErrorQueue.drain(operation) }
        return bytes
    }
}
