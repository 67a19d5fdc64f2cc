package import Logging
package import PKI
import Synchronization

/// The fleets as they serve now: one immutable snapshot, replaced whole when the record changes, so that trust anchors
/// change without a restart.
package final class FleetDirectory: Sendable {
    package struct Snapshot: Sendable {
        /// Rises with each replacement; what was derived from an older one is stale (TLS-10).
        package let generation: UInt64
        package let fleets: [FleetName: Fleet]
    }

    /// A reading of the record, by when it began.
    package struct Reading: Sendable {
        fileprivate let number: UInt64
    }

    private struct State {
        var snapshot = Snapshot(generation: 0, fleets: [:])
        var readings: UInt64 = 0
        var placed: UInt64 = 0
    }

    private let state = Mutex(State())
    private let defaultFleet: FleetName?

    /// - Parameter defaultFleet: The fleet of requests without a label; if nil, the only fleet there is.
    package init(defaultFleet: FleetName?) {
        self.defaultFleet = defaultFleet
    }

    package var snapshot: Snapshot { state.withLock { $0.snapshot } }

    /// The fleet of a label, or of requests without one.
    package func fleet(label: String?) -> Fleet? {
        let fleets = snapshot.fleets
        if let label { return FleetName(label).flatMap { fleets[$0] } }
        if let defaultFleet { return fleets[defaultFleet] }
        return fleets.count == 1 ? fleets.values.first : nil
    }

    /// To be called before the record is read.
    package func beginReading() -> Reading {
        state.withLock { state in
            state.readings += 1
            return Reading(number: state.readings)
        }
    }

    /// Puts what a reading found in place of what was. Readings may overlap: one that began before the one in place may
    /// not know the change that the later one was made for, and is dropped.
    package func replace(with fleets: [Fleet], from reading: Reading) {
        state.withLock { state in
            guard reading.number > state.placed else { return }
            state.placed = reading.number
            state.snapshot = Snapshot(
                generation: state.snapshot.generation + 1,
                fleets: Dictionary(fleets.map { ($0.name, $0) }) { first, _ in first }
            )
        }
    }
}

/// Reads the fleets from the record, at first and whenever they change.
package struct FleetLoader: Sendable {
    private let source: any FleetSource
    private let directory: FleetDirectory
    private let issuers: [Issuer]
    private let publicURL: String?
    private let logger: Logger

    /// - Parameters:
    ///   - issuers: Those whose keys this server holds.
    ///   - publicURL: How the public front is reached; nil if that is not known.
    package init(
        source: any FleetSource,
        directory: FleetDirectory,
        issuers: [Issuer],
        publicURL: String? = nil,
        logger: Logger
    ) {
        self.publicURL = publicURL
        self.source = source
        self.directory = directory
        self.issuers = issuers
        self.logger = logger
    }

    /// Reads all fleets once and puts them in place. A fleet whose issuer this server lacks is left out, loudly.
    package func load() async throws(RecordError) {
        let reading = directory.beginReading()
        let records = try await source.fleets()
        let present = directory.snapshot.fleets
        directory.replace(
            with: records.compactMap { record in
                // A fleet that did not change keeps the intermediates that its anchors have met (EST-05).
                if let fleet = present[record.name], fleet.record == record { return fleet }
                guard let fleet = Fleet(record, issuers: issuers, publicURL: publicURL) else {
                    logger.error(
                        "fleet not served: none of this server's issuers is the fleet's; add it under issuers",
                        metadata: ["fleet": "\(record.name)"]
                    )
                    return nil
                }
                return fleet
            },
            from: reading
        )
    }

    /// Loads again at each change that the record announces, until cancelled. `afterLoad` runs after each load.
    package func run(afterLoad: @Sendable () async -> Void) async throws {
        for await _ in source.changes() {
            do {
                try await load()
                await afterLoad()
            } catch {
                // The snapshot in place keeps serving; the record announces itself when it is back.
                logger.warning("fleets not reloaded", metadata: ["error": "\(error)"])
            }
        }
    }
}
