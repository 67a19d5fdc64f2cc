import Enrollment
import PKI

/// Programs outside that are told of events.
extension ConfigurationKeys {
    static let webhookName = ConfigurationKey(
        "webhooks.*.name",
        .name(lengthMax: 40),
        .required(example: "inventory"),
        reloadable: true,
        "The webhook's name, by which the record, metrics and commands know it. What waits stays with the name."
    )
    static let webhookURL = ConfigurationKey(
        "webhooks.*.url",
        .webhookURL,
        .required(example: "https://inventory.example.com/hooks/muster"),
        reloadable: true,
        "Where events are posted as JSON, signed as Standard Webhooks says: https, or http to this machine itself."
    )
    static let webhookSecretFile = ConfigurationKey(
        "webhooks.*.secretFile",
        .path,
        .required(example: "/etc/muster/inventory.secret"),
        reloadable: true,
        "A file (mode 0600) with the secret that signs: 24 to 64 random bytes in base64, after whsec_. A second line with another "
            + "one signs too, for as long as the receiver changes from one to the other."
    )
    static let webhookCAFile = ConfigurationKey(
        "webhooks.*.caFile",
        .path,
        .optional(example: "/etc/muster/inventory-ca.pem"),
        reloadable: true,
        "The CA certificates, in PEM, that the receiver's certificate must chain to. Left out, those of the system."
    )
    static let webhookEvents = ConfigurationKey(
        "webhooks.*.events",
        .webhookEvents,
        .standard(WebhookEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")),
        reloadable: true,
        "What it is told of, separated by commas."
    )
    static let webhookFleets = ConfigurationKey(
        "webhooks.*.fleets",
        .fleetNames,
        .optional(example: "meters, valves"),
        reloadable: true,
        "Of which fleets, separated by commas. Left out, of all."
    )

    /// In the order of the example configuration.
    static let webhooks: [ConfigurationKeyDescription] = [
        webhookName.description, webhookURL.description, webhookSecretFile.description, webhookCAFile.description,
        webhookEvents.description, webhookFleets.description,
    ]
}

extension ConfigurationValueForm where Value == String {
    /// Where a webhook's events are posted. Never repeats the text, which may have a token in it.
    static var webhookURL: Self {
        Self(expectation: "https://host[:port][/path], or the same with http to localhost") { text, _ in
            func fault(_ text: String) -> Result<String, ConfigurationValueFault> {
                .failure(ConfigurationValueFault(text))
            }
            guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else {
                return fault("does not start with https://")
            }
            let rest = text.dropFirst(scheme.count)
            guard text.utf8.count <= urlLengthMax, rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
                !rest.contains(where: { "#\"<>\\".contains($0) })
            else { return fault("may not have spaces, a fragment, or more than \(urlLengthMax) characters") }
            let authority = String(rest.prefix { $0 != "/" && $0 != "?" })
            guard !authority.contains("@") else { return fault("holds a user or password; take it out") }
            guard let address = ListenAddress(authority) ?? ListenAddress(authority + ":443") else {
                return fault("has no valid host; write such as https://inventory.example.com/hooks/muster")
            }
            guard scheme == "https://" || ["localhost", "127.0.0.1", "::1"].contains(address.host) else {
                return fault("is http to another machine, which anybody on the way could read; write https")
            }
            return .success(text)
        }
    }

    private static var urlLengthMax: Int { 2000 }
}

extension ConfigurationValueForm where Value == Set<WebhookEvent.Kind> {
    /// Kinds of events, separated by commas.
    static var webhookEvents: Self {
        let words = WebhookEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
        return Self(expectation: "one or more of \(words), separated by commas") { text, _ in
            listed(text, { WebhookEvent.Kind(rawValue: $0) }, "one of \(words)")
        }
    }
}

extension ConfigurationValueForm where Value == Set<FleetName> {
    /// Names of fleets, separated by commas.
    static var fleetNames: Self {
        Self(expectation: "names of fleets, separated by commas") { text, _ in
            listed(text, { FleetName($0) }, "a fleet's name: 1 to \(FleetName.lengthMax) of a-z, 0-9 and -")
        }
    }
}

/// Words separated by commas, each once.
private func listed<Element: Hashable>(
    _ text: String,
    _ parse: (String) -> Element?,
    _ expectation: String
) -> Result<Set<Element>, ConfigurationValueFault> {
    var found: Set<Element> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let word = String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        guard let element = parse(word) else { return .failure(.unexpected(word, expectation)) }
        guard found.insert(element).inserted else { return .failure(ConfigurationValueFault("has \"\(word)\" twice")) }
    }
    return .success(found)
}
