/// A key of the configuration: its name, what its values look like, and all that is told about it.
///
/// The type parameter is what a value of the key becomes once it is read.
struct ConfigurationKey<Value: Sendable>: Sendable {
    /// What is told about the key.
    let description: ConfigurationKeyDescription
    /// How text becomes a value.
    let form: ConfigurationValueForm<Value>

    /// Describes a key.
    ///
    /// - Parameters:
    ///   - name: The full name; `*` stands for the index in a list.
    ///   - form: How text becomes a value.
    ///   - presence: Whether it must be there, and what holds if it is not.
    ///   - reloadable: Whether SIGHUP takes a changed value without a restart.
    ///   - meaning: A sentence or two for the example configuration.
    init(
        _ name: String,
        _ form: ConfigurationValueForm<Value>,
        _ presence: ConfigurationKeyDescription.Presence,
        reloadable: Bool = false,
        _ meaning: String
    ) {
        self.form = form
        self.description = ConfigurationKeyDescription(
            name: name,
            presence: presence,
            expectation: form.expectation,
            reloadable: reloadable,
            meaning: meaning
        )
    }
}

/// What is told about a key, whatever the type of its value.
struct ConfigurationKeyDescription: Sendable {
    /// Whether a key must be there, and what holds if it is not.
    enum Presence: Sendable, Equatable {
        /// It must be given (in an optional section: as soon as any key of the section is).
        case required(example: String)
        /// It may be left out, and then there is no such thing.
        case optional(example: String)
        /// It may be left out, and then it has this value.
        case standard(String)
    }

    /// The full name, such as `est.listen`; `*` stands for the index in a list: `issuers.*.name`.
    let name: String
    /// Whether it must be there, and what holds if it is not.
    let presence: Presence
    /// What a value is, as in "a whole number from 1 to 100".
    let expectation: String
    /// Whether SIGHUP takes a changed value without a restart.
    let reloadable: Bool
    /// A sentence or two for the example configuration.
    let meaning: String

    /// A value that is right in form.
    var example: String {
        switch presence {
        case .required(let example), .optional(let example): example
        case .standard(let text): text
        }
    }

    /// The environment variable that sets the key: `MUSTER_`, then the words of the name in upper case, joined by
    /// underscores. `est.tlsVersionMin` is `MUSTER_EST_TLS_VERSION_MIN`; `issuers.0.name` is `MUSTER_ISSUERS_0_NAME`.
    var environmentVariable: String {
        ConfigurationName.environmentVariable(for: name)
    }
}
