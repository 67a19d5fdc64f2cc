import CoreMetrics
import Prometheus

/// Counts what became of deliveries to webhooks.
final class WebhookMetrics: Sendable {
    private struct Counters: Sendable {
        let delivered: Counter
        let failed: Counter
        let givenUp: Counter
    }

    private let counters: [String: Counters]

    /// - Parameter webhooks: Those that are told; each has its series from the beginning, so that a rise is seen.
    init(_ webhooks: [String], factory: any MetricsFactory) {
        func counter(_ webhook: String, _ outcome: String) -> Counter {
            let dimensions = [("webhook", webhook), ("outcome", outcome)]
            return Counter(label: MusterMetrics.webhookDeliveries.name, dimensions: dimensions, factory: factory)
        }
        counters = Dictionary(
            webhooks.map { webhook in
                let counters = Counters(
                    delivered: counter(webhook, "delivered"),
                    failed: counter(webhook, "failed"),
                    givenUp: counter(webhook, "given-up")
                )
                return (webhook, counters)
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    func settled(_ webhook: String, delivered: Int, failed: Int, givenUp: Int) {
        guard let counters = counters[webhook] else { return }
        counters.delivered.increment(by: delivered)
        counters.failed.increment(by: failed)
        counters.givenUp.increment(by: givenUp)
    }
}
