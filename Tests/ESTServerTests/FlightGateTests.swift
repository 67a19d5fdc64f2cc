import NIOCore
import NIOEmbedded
import Testing

@testable import ESTServer

@Suite struct FlightGateTests {
    private let gate = FlightGate()
    private let channel = EmbeddedChannel()

    init() throws { try channel.pipeline.syncOperations.addHandler(gate) }

    private func write(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

    /// What has left since it was asked last.
    private func sent() throws -> [String] {
        var sent: [String] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { sent.append(String(buffer: buffer)) }
        return sent
    }

    @Test func `what is written to an open gate leaves at once`() throws {
        write("flight")
        #expect(try sent() == ["flight"])
    }

    @Test func `what waits leaves in its order once the gate is opened, and not before`() throws {
        gate.hold()
        write("answer")
        write("goodbye")
        #expect(try sent() == [])
        gate.open()
        #expect(try sent() == ["answer", "goodbye"])
        write("more")
        #expect(try sent() == ["more"])
    }

    @Test func `what waits leaves before the connection ends`() throws {
        gate.hold()
        write("alert")
        channel.close(promise: nil)
        #expect(try sent() == ["alert"])
    }
}
