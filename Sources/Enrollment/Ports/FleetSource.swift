/// Where fleets are read from.
package protocol FleetSource: Sendable {
    /// All fleets as they are now.
    func fleets() async throws(RecordError) -> [FleetRecord]

    /// One element each time fleets may have changed (also after a time without contact); ends on cancellation.
    func changes() -> AsyncStream<Void>
}
