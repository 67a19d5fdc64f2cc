/// What a `NOTIFY` carried.
package struct PostgresNotification: Hashable, Sendable {
    /// The channel it was sent on.
    package var channel: String
    /// Its text; empty if the sender gave none.
    package var payload: String

    package init(channel: String, payload: String) {
        self.channel = channel
        self.payload = payload
    }
}
