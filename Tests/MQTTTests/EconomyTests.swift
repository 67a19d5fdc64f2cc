import Foundation
import MQTT
import TestPeers
import Testing

/// Counts threads and descriptors of the whole process, so nothing may run beside it.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct EconomyTests {
    @Test func `two hundred clients one after the other leave no threads and no descriptors behind`() async throws {
        // A process of its own: other tests open and close what this one counts.
        await #expect(processExitsWith: .success) {
            let broker = try await MosquittoBroker()
            let credential = try await broker.pki.client("d1@roof")
            let device = broker.configuration(credential, clientID: "d1@roof")
            let stranger = try await TestPKI(rootName: "Stranger")
            let before = try await Self.round(device, count: 5)
            let after = try await Self.round(device, count: 200, descriptorsMax: before.descriptors)
            #expect(after.descriptors <= before.descriptors, "\(before) \(after)")
            #expect(after.threads == 0)
            #expect(after.residentKiB - before.residentKiB < 8_192, "\(before) \(after)")

            // Refused ones too, and those that never came to a handshake.
            var suspicious = device
            suspicious.tls = TLSMaterial(
                anchors: stranger.root,
                certificateChain: credential.certificate,
                privateKey: credential.key
            )
            var away = device
            away.port = 1
            for configuration in [suspicious, away] {
                for _ in 0..<50 {
                    _ = try? await MQTTClient.withClient(configuration: configuration, logger: quiet) { _ in }
                }
            }
            let last = try await Self.measure(descriptorsMax: before.descriptors)
            #expect(last.descriptors <= before.descriptors, "\(before) \(last)")
            try await broker.stop()
        }
    }

    @Test func `two hundred clients connected at once each publish, and end with their threads`() async throws {
        let broker = try await MosquittoBroker()
        let credential = try await broker.pki.client("d1@roof")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                let configuration = broker.configuration(credential, clientID: "d\(number)")
                group.addTask {
                    try await MQTTClient.withClient(configuration: configuration, logger: quiet) { client in
                        try await client.publish(topic: "muster/v1/devices/d1@roof/n", payload: [UInt8(number)])
                    }
                }
            }
            try await group.waitForAll()
        }
        try await broker.stop()
    }

    @Test func `five hundred clients that share a thread are connected at once, and each hears what it sends`()
        async throws
    {
        // A process of its own: other tests have threads, which this one counts.
        await #expect(processExitsWith: .success) {
            let count = 500
            let broker = try await MosquittoBroker()
            let credential = try await broker.pki.client("d1@roof")
            let thread = try MQTTThread()
            let connected = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(count))
            let all = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<count {
                    var configuration = broker.configuration(credential, clientID: "d\(number)")
                    configuration.connectTimeout = .seconds(60)
                    configuration.thread = thread
                    group.addTask { [configuration] in
                        try await MQTTClient.withClient(configuration: configuration, logger: quiet) { client in
                            let topic = "muster/v1/devices/d1@roof/\(number)"
                            try await client.subscribe([topic])
                            connected.continuation.yield()
                            for await _ in all.stream { break }
                            try await client.publish(topic: topic, payload: [UInt8(number % 256)])
                            var heard = client.messages.makeAsyncIterator()
                            #expect(await heard.next()?.payload == [UInt8(number % 256)])
                        }
                    }
                }
                var left = count
                for await _ in connected.stream {
                    left -= 1
                    if left == 0 { break }
                }
                #expect(connectionThreads() == 1)
                all.continuation.finish()
                try await group.waitForAll()
            }
            #expect(try await Self.measure(descriptorsMax: .max).threads == 0)
            try await broker.stop()
        }
    }

    struct Footprint: Sendable {
        let descriptors: Int
        let threads: Int
        let residentKiB: Int
    }

    static func round(
        _ configuration: MQTTConfiguration,
        count: Int,
        descriptorsMax: Int = .max
    ) async throws -> Footprint {
        for _ in 0..<count {
            try await MQTTClient.withClient(configuration: configuration, logger: quiet) { client in
                try await client.publish(topic: "muster/v1/devices/d1@roof/n", payload: [1])
            }
        }
        return try await measure(descriptorsMax: descriptorsMax)
    }

    /// Counts once the last connection's thread has ended and the descriptors are `descriptorsMax` or fewer, or
    /// after some seconds as they are then: the last release may come a moment after the call's return.
    static func measure(descriptorsMax: Int = .max) async throws -> Footprint {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            let threads = connectionThreads()
            if (threads == 0 && descriptors <= descriptorsMax) || ContinuousClock.now > deadline {
                return Footprint(descriptors: descriptors, threads: threads, residentKiB: try residentKiB())
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private static func residentKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }
}
