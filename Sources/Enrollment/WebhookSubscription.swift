package import PKI

/// What one webhook is told of.
package struct WebhookSubscription: Hashable, Sendable {
    /// The webhook's name, by which the record knows it.
    package let webhook: String
    package let kinds: Set<WebhookEvent.Kind>
    /// Nil for all, those to come among them.
    package let fleets: Set<FleetName>?

    package init(
        webhook: String,
        kinds: Set<WebhookEvent.Kind> = Set(WebhookEvent.Kind.allCases),
        fleets: Set<FleetName>? = nil
    ) {
        self.webhook = webhook
        self.kinds = kinds
        self.fleets = fleets
    }

    package func takes(_ event: WebhookEvent) -> Bool {
        kinds.contains(event.kind) && fleets?.contains(event.fleet) != false
    }
}
