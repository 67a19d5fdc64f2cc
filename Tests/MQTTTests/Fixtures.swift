import Foundation
import Logging
import MQTT
import TestPeers

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
let fleetTopic = "muster/v1/fleets/roof/truststore"

extension MosquittoBroker {
    /// A client's configuration with that credential, impatient enough for a test.
    func configuration(_ credential: TestPKI.Credential, clientID: String) -> MQTTConfiguration {
        let tls = TLSMaterial(
            anchors: pki.root,
            certificateChain: credential.certificate,
            privateKey: credential.key
        )
        var configuration = MQTTConfiguration(host: Self.host, port: port, clientID: clientID, tls: tls)
        configuration.pauseMin = .milliseconds(100)
        configuration.pauseMax = .seconds(1)
        configuration.connectTimeout = .seconds(30)
        return configuration
    }

    func server(_ clientID: String = "server-1") async throws -> MQTTConfiguration {
        try await configuration(pki.client("muster-server"), clientID: clientID)
    }
}

/// Runs a client beside `body` and ends it afterwards.
func withRunning(
    _ configuration: MQTTConfiguration,
    _ body: @escaping @Sendable (MQTTClient) async throws -> Void
) async throws {
    let client = MQTTClient(configuration: configuration, logger: quiet)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await client.run() }
        defer { group.cancelAll() }
        try await within(.seconds(60)) { try await client.waitUntilConnected() }
        try await body(client)
    }
}

struct TookTooLong: Error {}

/// Bounds a wait.
func within<Value: Sendable>(
    _ limit: Duration,
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TookTooLong()
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw TookTooLong() }
        return value
    }
}

/// The next `count` of a stream, in bounded time.
func next<Element: Sendable>(_ count: Int, of stream: AsyncStream<Element>) async throws -> [Element] {
    try await within(.seconds(60)) {
        var found: [Element] = []
        for await element in stream {
            found.append(element)
            if found.count == count { break }
        }
        return found
    }
}

/// A stream up to the first `wanted`, in bounded time.
func until<Element: Sendable & Equatable>(
    _ wanted: Element,
    in stream: AsyncStream<Element>
) async throws -> [Element] {
    try await within(.seconds(60)) {
        var found: [Element] = []
        for await element in stream {
            found.append(element)
            if element == wanted { return found }
        }
        throw TookTooLong()
    }
}

/// Threads of MQTT connections in this process now.
func connectionThreads() -> Int {
    let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return tasks.filter {
        (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == "mqtt\n"
    }.count
}
