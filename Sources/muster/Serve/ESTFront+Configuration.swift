import ESTServer
import Logging
import NIOSSL

extension ESTFront.Configuration {
    /// The device front as the configuration has it, with no more connections than this process may open files.
    init(_ configuration: ServerConfiguration, logger: Logger) {
        let (est, limits) = (configuration.est, configuration.limits)
        self.init(host: est.listen.host, port: est.listen.port)
        connectionsMax = OpenFiles.connections(
            asked: est.connectionsMax,
            beside: configuration.publicFront.connectionsMax,
            logger: logger
        )
        handshakeTimeout = est.handshakeTimeout
        idleTimeout = est.idleTimeout
        connectionsPerAddressMax = limits.connectionsPerAddressMax
        handshakesMax = limits.handshakesMax
        requestsMax = limits.enrollmentsMax
        headerOctetsMax = limits.requestHeaderBytesMax
        bodyOctetsMax = limits.requestBodyBytesMax
        chainCertificatesMax = limits.chainCertificatesMax
        chainOctetsMax = limits.chainBytesMax
        bodyTimeout = limits.requestBodyTimeout
        lenientBodies = est.lenientBodies
    }
}

extension ServerConfiguration.EST.TLSVersion {
    /// As NIO has it.
    var nio: NIOSSL.TLSVersion {
        switch self {
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }
}
