import NIOCore
import Testing

@testable import ESTServer

/// The memory of connections' buffers, as NIO and TLS use it.
struct RecordBuffersTests {
    /// What a buffer of TLS holds: one record, or two.
    private static let sizes = [16_384, 32_768]

    /// A buffer that is full of one octet.
    private func filled(_ size: Int, with octet: UInt8) -> ByteBuffer {
        var buffer = RecordBuffers.allocator.buffer(capacity: size)
        buffer.writeRepeatingByte(octet, count: size)
        return buffer
    }

    private func holds(_ buffer: ByteBuffer, _ octet: UInt8) -> Bool {
        buffer.readableBytesView.allSatisfy { $0 == octet }
    }

    @Test(arguments: sizes) func `buffers that are in use at once share no memory`(_ size: Int) {
        let buffers = (0..<200).map { filled(size, with: UInt8($0)) }
        #expect(buffers.enumerated().allSatisfy { holds($1, UInt8($0)) })
    }

    @Test(arguments: sizes + [1, 4_096, 65_536]) func `a buffer that grows keeps what it holds`(_ size: Int) {
        var buffer = filled(size, with: 7)
        let neighbour = filled(size, with: 9)
        for _ in 0..<3 {
            let more = buffer.readableBytes
            buffer.writeRepeatingByte(7, count: more)
        }
        #expect(buffer.readableBytes == 8 * size)
        #expect(holds(buffer, 7) && holds(neighbour, 9))
    }

    @Test func `a buffer is given back and lent again`() {
        for round in 0..<100_000 {
            var buffer = RecordBuffers.allocator.buffer(capacity: Self.sizes[round % 2])
            buffer.writeInteger(UInt64(round))
            #expect(buffer.readInteger(as: UInt64.self) == UInt64(round))
        }
    }

    @Test func `more buffers than there are blocks come from elsewhere, and go back there`() {
        for _ in 0..<2 {
            let buffers = (0..<20_000).map { number in
                var buffer = RecordBuffers.allocator.buffer(capacity: 16_384)
                buffer.writeInteger(number)
                return buffer
            }
            #expect(buffers.enumerated().allSatisfy { $1.getInteger(at: 0, as: Int.self) == $0 })
        }
    }
}
