import Postgres
import Testing

@Suite struct `A listener` {
    @Test func `hears notifications, and after a reconnect says that some may be missing`() async throws {
        let cluster = try await ThrowawayCluster.shared()
        let sender = try await cluster.connect()
        let configuration = PostgresConfiguration(
            connectionString: cluster.socketConnectionString,
            applicationName: "listener under test"
        )
        let listener = PostgresListener(configuration, channels: [#"odd "channel""#, "plain"], logger: .quiet)
        let (events, continuation) = AsyncStream<PostgresListener.Event>.makeStream()
        let running = Task { try await listener.run { continuation.yield($0) } }
        var heard = events.makeAsyncIterator()

        #expect(await heard.next() == .listening)
        try await sender.query("select pg_notify(\("plain"), \("1"))")
        #expect(await heard.next() == .notification(PostgresNotification(channel: "plain", payload: "1")))

        try await sender.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener under test'"
        )
        #expect(await heard.next() == .missedPossibly)
        try await sender.query("select pg_notify(\(#"odd "channel""#), \("2"))")
        #expect(await heard.next() == .notification(PostgresNotification(channel: #"odd "channel""#, payload: "2")))

        running.cancel()
        await #expect(throws: CancellationError.self) { try await running.value }
    }
}
