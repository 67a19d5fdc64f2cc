import COpenSSL

extension PrivateKey {
    /// Octets of a P-256 scalar.
    private static let scalarOctetsP256: Int32 = 32

    /// Hands `body` the private scalar of a P-256 key that lives in this process' memory: 32 octets, big-endian (SEC 1
    /// section 2.3.7), wiped when it returns. For another library that signs with the same key.
    /// - Returns: Nil, and `body` is not called, for a key of another kind or in a token.
    package func withP256Scalar<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value? {
        guard !isInToken, algorithm == .ecdsaP256 else { return nil }
        ErrorQueue.clear()
        var number: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(pointer, "priv", &number) == 1, let number = unsafe number else {
            ErrorQueue.clear()
            return nil
        }
        defer { unsafe BN_clear_free(number) }
        var octets = [UInt8](repeating: 0, count: Int(Self.scalarOctetsP256))
        defer { unsafe octets.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) } }
        guard unsafe BN_bn2binpad(number, &octets, Self.scalarOctetsP256) == Self.scalarOctetsP256 else {
            ErrorQueue.clear()
            return nil
        }
        return try unsafe octets.withUnsafeBufferPointer { buffer throws(Failure) in
            try unsafe body(UnsafeRawBufferPointer(buffer))
        }
    }
}
