import COpenSSL

/// A buffer that libcrypto reads from or writes to: the owner of one BIO.
@safe struct MemoryBIO: ~Copyable {
    let pointer: OpaquePointer

    /// An empty one to write to. A secret is written to memory that libcrypto wipes when it frees it.
    init(secret: Bool = false) throws(OpenSSLError) {
        unsafe pointer = try unsafe Self.make(holding: [], secret: secret)
    }

    /// One that holds a copy of `bytes`, to read from.
    init(_ bytes: [UInt8], secret: Bool = false) throws(OpenSSLError) {
        unsafe pointer = try unsafe Self.make(holding: bytes, secret: secret)
    }

    deinit { unsafe BIO_free_all(pointer) }

    /// A copy of what it holds.
    var bytes: [UInt8] {
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe muster_bio_bytes(pointer, &start)
        guard count > 0, let start = unsafe start else { return [] }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    private static func make(holding bytes: [UInt8], secret: Bool) throws(OpenSSLError) -> OpaquePointer {
        ErrorQueue.clear()
        guard let bio = unsafe BIO_new(secret ? BIO_s_secmem() : BIO_s_mem()) else {
            throw ErrorQueue.drain("make a buffer")
        }
        guard !bytes.isEmpty else { return unsafe bio }
        guard let count = Int32(exactly: bytes.count), unsafe BIO_write(bio, bytes, count) == count else {
            unsafe BIO_free_all(bio)
            throw ErrorQueue.drain("fill a buffer")
        }
        return unsafe bio
    }
}
