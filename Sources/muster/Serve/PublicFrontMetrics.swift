import CoreMetrics
import FrontBounds
import Prometheus

/// Counts each time that a bound of the public front is reached, under a name of its own: `public-` and the bound's.
final class PublicFrontMetrics: FrontObserver {
    /// Those that the front has.
    private static let limits: [FrontLimit] = [.connections, .connectionsPerAddress, .idleTime, .bodyTime]

    private let counters: [FrontLimit: Counter]

    init(factory: any MetricsFactory) {
        counters = Dictionary(
            uniqueKeysWithValues: Self.limits.map { limit in
                let dimensions = [("limit", "public-\(limit.rawValue)")]
                return (limit, Counter(label: MusterMetrics.limits.name, dimensions: dimensions, factory: factory))
            }
        )
    }

    /// There is no TLS.
    func ended(_ result: HandshakeResult) {}

    func reached(_ limit: FrontLimit) { counters[limit]?.increment() }
}
