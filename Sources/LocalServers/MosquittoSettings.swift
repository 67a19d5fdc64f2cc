/// The text of `mosquitto.conf` for a private broker: mutual TLS, the certificate's common name as username, and the
/// access rules. Production's is `ops/mosquitto/mosquitto.conf`.
struct MosquittoSettings: Sendable {
    let folder: String
    let configuration: LocalMosquitto.Configuration

    /// The largest packet that the broker takes, in bytes; a trust-store message has to fit.
    static let packetBytesMax = 1 << 20

    var text: String { common + revocation }

    private var common: String {
        """
        # Written at each start of the private broker; changes here are lost.
        per_listener_settings false
        listener \(configuration.port) \(configuration.address)
        capath \(folder)/anchors
        certfile \(folder)/server.pem
        keyfile \(folder)/server.key
        require_certificate true
        use_identity_as_username true
        allow_anonymous false
        acl_file \(folder)/acl
        pid_file \(folder)/mosquitto.pid
        persistence true
        persistence_location \(folder)/data/
        autosave_interval \(configuration.autosaveSeconds)
        persistent_client_expiration 14d
        max_packet_size \(Self.packetBytesMax)
        max_connections \(configuration.connectionsMax)
        set_tcp_nodelay true
        sys_interval 0
        log_dest file \(folder)/mosquitto.log
        log_type error
        log_type warning
        log_type notice
        log_timestamp_format %Y-%m-%dT%H:%M:%S

        """
    }

    /// The lists of the listener above, and the plugin by which an agent ends sessions.
    private var revocation: String {
        guard let revocation = configuration.revocation else { return "" }
        return """
            crlfile \(revocation.listFile)
            plugin \(revocation.plugin)
            plugin_opt_config_file \(folder)/data/\(DynamicSecurity.file)

            """
    }
}
