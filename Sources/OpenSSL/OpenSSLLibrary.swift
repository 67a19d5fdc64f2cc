import COpenSSL

/// What concerns libcrypto as a whole.
package enum OpenSSLLibrary {
    /// Keeps libcrypto usable until the very end of the process. By default it frees its tables in `exit()`, while
    /// threads of libpq and libmosquitto may still be in the middle of TLS: a crash after all work was done. To be called
    /// before anything else touches libcrypto; the kernel frees all of it anyway.
    package static func stayUsable() {
        _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
    }
}
