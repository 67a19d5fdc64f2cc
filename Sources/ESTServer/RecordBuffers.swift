import Glibc
@_spi(CustomByteBufferAllocator) import NIOCore
import Synchronization

/// Where the buffers of connections come from. TLS keeps two for each connection that hold a record of the largest size
/// (RFC 8446 section 5.1), and uses their first kilobytes. From the C library's allocator they come in memory that served
/// something else before, all of it resident. Here they come from blocks that only ever were such buffers: what no
/// connection touched takes no memory, and a new connection costs no system call.
enum RecordBuffers {
    /// For the channels of the device front; anything that is not of a record's size is the C library's.
    static let allocator = unsafe ByteBufferAllocator(
        allocate: { unsafe RecordBuffers.allocate($0) },
        reallocate: { unsafe RecordBuffers.reallocate($0, from: $1, to: $2) },
        deallocate: { unsafe RecordBuffers.deallocate($0) },
        copy: { unsafe $0.copyMemory(from: $1, byteCount: $2) }
    )

    /// One record to write, and two to read.
    private static let written = BlockStore(blockOctets: 16 * 1024)
    private static let read = BlockStore(blockOctets: 32 * 1024)

    private static func store(of size: Int) -> BlockStore? {
        if size == written.blockOctets { written } else if size == read.blockOctets { read } else { nil }
    }

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        unsafe store(of: size)?.take() ?? malloc(size)
    }

    private static func deallocate(_ block: UnsafeMutableRawPointer) {
        guard unsafe !written.takesBack(block), unsafe !read.takesBack(block) else { return }
        unsafe free(block)
    }

    private static func reallocate(
        _ block: UnsafeMutableRawPointer?,
        from size: Int,
        to wanted: Int
    ) -> UnsafeMutableRawPointer? {
        guard let block = unsafe block else { return unsafe allocate(wanted) }
        if store(of: size) == nil, store(of: wanted) == nil { return unsafe realloc(block, wanted) }
        guard let other = unsafe allocate(wanted) else { return nil }
        unsafe other.copyMemory(from: block, byteCount: min(size, wanted))
        unsafe deallocate(block)
        return unsafe other
    }
}

/// Blocks of one size, in a range of addresses that is set aside once and has memory where it was touched.
private final class BlockStore: Sendable {
    /// The most blocks; further ones come from the C library.
    private static let countMax = 16_384

    private struct State {
        /// Blocks that were never taken begin here.
        var next = 0
        /// The last one given back is the next one taken: its pages are there.
        var free: [Int32] = []
    }

    let blockOctets: Int
    /// The address of the first block; nil if the system set no range aside.
    private let base: UInt?
    private let state = Mutex(State())

    init(blockOctets: Int) {
        self.blockOctets = blockOctets
        let protection = PROT_READ | PROT_WRITE
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let range = unsafe mmap(nil, blockOctets * Self.countMax, protection, flags, -1, 0)
        base = unsafe range == MAP_FAILED ? nil : range.map { UInt(bitPattern: $0) }
    }

    func take() -> UnsafeMutableRawPointer? {
        guard let base else { return nil }
        let index: Int? = state.withLock { state in
            if let last = state.free.popLast() { return Int(last) }
            guard state.next < Self.countMax else { return nil }
            state.next += 1
            return state.next - 1
        }
        return unsafe index.flatMap { unsafe UnsafeMutableRawPointer(bitPattern: base + UInt($0 * blockOctets)) }
    }

    /// False if it is none of these blocks.
    func takesBack(_ block: UnsafeMutableRawPointer) -> Bool {
        let address = UInt(bitPattern: block)
        guard let base, address >= base, address < base + UInt(blockOctets * Self.countMax) else { return false }
        state.withLock { $0.free.append(Int32((address - base) / UInt(blockOctets))) }
        return true
    }
}
