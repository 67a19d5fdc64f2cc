import StatusServer

extension StatusFront.Configuration {
    /// The public front as the configuration has it.
    init(_ configuration: ServerConfiguration.PublicFront) {
        self.init(host: configuration.listen.host, port: configuration.listen.port)
        connectionsMax = configuration.connectionsMax
        connectionsPerAddressMax = configuration.connectionsPerAddressMax
        idleTimeout = configuration.idleTimeout
        bodyTimeout = configuration.bodyTimeout
    }
}
