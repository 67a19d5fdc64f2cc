import Glibc

/// How the C library's allocator deals with the buffers of connections.
enum LargeAllocations {
    /// From so many octets on an allocation has pages of its own.
    private static let ownPagesFrom: Int32 = 16 * 1024
    /// The most of them; two for each connection.
    private static let countMax: Int32 = 1_000_000
    /// M_MMAP_THRESHOLD and M_MMAP_MAX of <malloc.h>, which Swift does not import.
    private static let threshold: Int32 = -3
    private static let maximum: Int32 = -4

    /// Each TLS connection holds buffers for records of the largest size, and uses some hundred octets of them. With
    /// pages of their own, what is not used takes no memory: some 25 KB a connection, at a cost that is lost in the
    /// noise. With another C library or allocator nothing happens.
    static func useOwnPages() {
        guard let symbol = unsafe dlsym(nil, "mallopt") else { return }
        typealias Mallopt = @convention(c) (Int32, Int32) -> Int32
        let mallopt = unsafe unsafeBitCast(symbol, to: Mallopt.self)
        _ = mallopt(threshold, ownPagesFrom)
        _ = mallopt(maximum, countMax)
    }
}
