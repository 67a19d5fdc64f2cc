import PKI

/// What the server takes on, and no more. Each bound that is reached is counted in `muster_limit_reached_total`.
extension ConfigurationKeys {
    static let limitsConnectionsPerAddressMax = ConfigurationKey(
        "limits.connectionsPerAddressMax",
        .integer(1...1_000_000),
        .standard("5000"),
        "How many connections one address may have open; one more is closed. Devices behind one NAT share an address."
    )
    static let limitsHandshakesMax = ConfigurationKey(
        "limits.handshakesMax",
        .integer(1...100_000),
        .standard("512"),
        "How many TLS handshakes are under way at once; further connections wait until one ends."
    )
    static let limitsEnrollmentsMax = ConfigurationKey(
        "limits.enrollmentsMax",
        .integer(1...100_000),
        .standard("2048"),
        "How many enrollments are under way at once; more are answered 503 before anything is computed."
    )
    static let limitsRequestHeaderBytesMax = ConfigurationKey(
        "limits.requestHeaderBytesMax",
        .integer(1024...65_536),
        .standard("16384"),
        "The largest head of a request, in bytes; a longer one is answered 431."
    )
    static let limitsRequestBodyTimeout = ConfigurationKey(
        "limits.requestBodyTimeoutSeconds",
        .seconds(1...300),
        .standard("15"),
        "How long a request's body may take to arrive; a slower one is answered 408."
    )
    static let limitsRequestBodyBytesMax = ConfigurationKey(
        "limits.requestBodyBytesMax",
        .integer(1024...1_048_576),
        .standard("65536"),
        "The largest request body that is read, in bytes; a longer one is answered 413."
    )
    static let limitsCSRBytesMax = ConfigurationKey(
        "limits.csrBytesMax",
        .integer(512...UnverifiedRequest.octetsMax),
        .standard("\(UnverifiedRequest.octetsMax)"),
        "The largest certification request, in bytes of DER; a larger one is refused as request-too-large."
    )
    static let limitsCSRItemsMax = ConfigurationKey(
        "limits.csrItemsMax",
        .integer(1...UnverifiedRequest.itemsMax),
        .standard("\(UnverifiedRequest.itemsMax)"),
        "How many attributes, extensions, names and parts of a subject a request has, each; one with more is refused "
            + "as request-unreadable."
    )
    static let limitsChainCertificatesMax = ConfigurationKey(
        "limits.chainCertificatesMax",
        .integer(1...ClientChain.countMax),
        .standard("\(ClientChain.countMax)"),
        "How many certificates a device shows, its own among them; a handshake with more is refused."
    )
    static let limitsChainBytesMax = ConfigurationKey(
        "limits.chainBytesMax",
        .integer(1024...ClientChain.octetsMax),
        .standard("\(ClientChain.octetsMax)"),
        "How large they are together, in bytes; a handshake with larger ones is refused."
    )
    static let limitsDatabaseQueueMax = ConfigurationKey(
        "limits.databaseQueueMax",
        .integer(1...100_000),
        .standard("1024"),
        "How many callers wait for a connection to the database; more are refused at once."
    )
    static let limitsCommitQueueMax = ConfigurationKey(
        "limits.commitQueueMax",
        .integer(1...1_000_000),
        .standard("4096"),
        "How many enrollments may wait for their commit; more are answered 503."
    )
    static let limitsCommitGroupMax = ConfigurationKey(
        "limits.commitGroupMax",
        .integer(1...1024),
        .standard("64"),
        "How many of them one transaction commits."
    )
    static let limitsAttemptsKeptMonths = ConfigurationKey(
        "limits.attemptsKeptMonths",
        .integer(1...1200),
        .standard("13"),
        "For how many months beside the present one attempts are kept; older ones are dropped, a whole month at a time. "
            + "Certificates and the audit log stay."
    )

    /// All of this section, in the order of the example configuration.
    static let limits: [ConfigurationKeyDescription] = [
        limitsConnectionsPerAddressMax.description, limitsHandshakesMax.description,
        limitsEnrollmentsMax.description, limitsRequestHeaderBytesMax.description,
        limitsRequestBodyBytesMax.description, limitsRequestBodyTimeout.description,
        limitsCSRBytesMax.description, limitsCSRItemsMax.description,
        limitsChainCertificatesMax.description, limitsChainBytesMax.description,
        limitsDatabaseQueueMax.description,
        limitsCommitQueueMax.description, limitsCommitGroupMax.description,
        limitsAttemptsKeptMonths.description,
    ]
}
