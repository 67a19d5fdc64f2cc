import Logging
import PKI

/// Every key of the configuration, once. From this list come the parsing, the example configuration, the names of the
/// environment variables, and the suggestions for misspelled keys.
///
/// A new key is added here, read in `ServerConfiguration+Load.swift`, and has a place in `ServerConfiguration`.
enum ConfigurationKeys {
    /// Sections that are lists, whose entries are counted from 0 in names (`issuers.0.name`), and how many entries each may have.
    static let listSections = ["issuers": 32, "webhooks": 16]
    /// Sections that may be left out as a whole, but not in part.
    static let optionalSections: Set<String> = ["mqtt", "operator", "webhooks"]

    // MARK: database

    static let databaseURL = ConfigurationKey(
        "database.url",
        .databaseAddress,
        .required(example: "postgresql://muster@localhost/muster"),
        "The PostgreSQL database that is the record: a libpq URI or key=value string, without a password in it."
    )
    static let databasePasswordFile = ConfigurationKey(
        "database.passwordFile",
        .path,
        .optional(example: "/etc/muster/database.password"),
        "A file (mode 0600) whose first line is the database password. Not needed with peer or certificate login."
    )
    static let databasePoolSize = ConfigurationKey(
        "database.poolSize",
        .integer(1...100),
        .standard("8"),
        "How many connections to the database are kept open, besides two that only enrollments use."
    )
    static let databaseConnectTimeout = ConfigurationKey(
        "database.connectTimeoutSeconds",
        .seconds(1...300),
        .standard("5"),
        "How long one attempt to connect may take."
    )
    static let databaseStatementTimeout = ConfigurationKey(
        "database.statementTimeoutSeconds",
        .seconds(1...3600),
        .standard("10"),
        "How long one SQL statement may take before PostgreSQL cancels it."
    )

    // MARK: est

    static let estListen = ConfigurationKey(
        "est.listen",
        .listenAddress,
        .standard("0.0.0.0:8443"),
        "Where devices enroll (EST over mutual TLS): host:port or [IPv6 address]:port."
    )
    static let estCertificateFile = ConfigurationKey(
        "est.certificateFile",
        .path,
        .required(example: "/etc/muster/est.pem"),
        reloadable: true,
        "The TLS certificate of the device front and its intermediates, in PEM, the server's own first."
    )
    static let estKeyFile = ConfigurationKey(
        "est.keyFile",
        .keyPath,
        .required(example: "/etc/muster/est.key"),
        reloadable: true,
        "Its private key, in PEM (mode 0600)."
    )
    static let estDefaultFleet = ConfigurationKey(
        "est.defaultFleet",
        .name(lengthMax: 23),
        .optional(example: "meters"),
        "The fleet that EST requests without a label are for. Left out, such requests are refused."
    )
    static let estConnectionsMax = ConfigurationKey(
        "est.connectionsMax",
        .integer(1...1_000_000),
        .standard("10000"),
        "How many connections are open at most; more have to wait."
    )
    static let estHandshakeTimeout = ConfigurationKey(
        "est.handshakeTimeoutSeconds",
        .seconds(1...300),
        .standard("10"),
        "How long a TLS handshake may take."
    )
    static let estIdleTimeout = ConfigurationKey(
        "est.idleTimeoutSeconds",
        .seconds(1...3600),
        .standard("60"),
        "How long a connection may be silent before it is closed."
    )
    static let estTLSVersionMin = ConfigurationKey(
        "est.tlsVersionMin",
        ConfigurationValueForm<ServerConfiguration.EST.TLSVersion>.choice,
        .standard("1.2"),
        "The oldest TLS version that devices may use: 1.2 or 1.3."
    )
    static let estLenientBodies = ConfigurationKey(
        "est.lenientBodies",
        .boolean,
        .standard("false"),
        "Whether requests in PEM and bare DER are taken too, and not only RFC 8951's base64."
    )

    // MARK: public

    static let publicListen = ConfigurationKey(
        "public.listen",
        .listenAddress,
        .standard("0.0.0.0:8080"),
        "Where CRLs, OCSP and CA certificates are served, over plain HTTP."
    )
    static let publicURL = ConfigurationKey(
        "public.url",
        .baseURL,
        .optional(example: "http://pki.example.com"),
        "How devices and relying parties reach that front; issued certificates carry URLs that start so (CRL "
            + "distribution point and CA issuers), unless their fleet names its own. Left out, they carry none."
    )
    static let publicConnectionsMax = ConfigurationKey(
        "public.connectionsMax",
        .integer(1...100_000),
        .standard("256"),
        "How many connections that front has open at once; further ones wait until one ends."
    )
    static let publicConnectionsPerAddressMax = ConfigurationKey(
        "public.connectionsPerAddressMax",
        .integer(1...100_000),
        .standard("128"),
        "How many of them one address may have open; one more is closed. Behind a proxy all come from its address."
    )
    static let publicIdleTimeout = ConfigurationKey(
        "public.idleTimeoutSeconds",
        .seconds(1...3600),
        .standard("30"),
        "How long a connection may be without a request, or at a request's head, before it is closed."
    )
    static let publicBodyTimeout = ConfigurationKey(
        "public.bodyTimeoutSeconds",
        .seconds(1...300),
        .standard("15"),
        "How long the body of an OCSP request may take to arrive before the connection is closed."
    )

    // MARK: crl

    static let crlLifetime = ConfigurationKey(
        "crl.lifetimeDays",
        .days(1...90),
        .standard("7"),
        "How long a CRL is good. All are signed anew after half of that, and those that a revocation changes at once."
    )

    // MARK: ocsp

    static let ocspValidity = ConfigurationKey(
        "ocsp.validityHours",
        .hours(1...168),
        .standard("24"),
        "How long an OCSP answer is good for whoever cannot ask again. A revocation is in the next answer at once."
    )

    // MARK: mqtt

    static let mqttHost = ConfigurationKey(
        "mqtt.host",
        .host,
        .required(example: "mqtt.example.com"),
        "The MQTT broker. Without this section trust stores and revocations are recorded but not published."
    )
    static let mqttPort = ConfigurationKey(
        "mqtt.port",
        .integer(1...65535),
        .standard("8883"),
        "Its TLS port."
    )
    static let mqttCAFile = ConfigurationKey(
        "mqtt.caFile",
        .path,
        .required(example: "/etc/muster/mqtt-ca.pem"),
        "The CA certificates, in PEM, that the broker's certificate must chain to."
    )
    static let mqttCertificateFile = ConfigurationKey(
        "mqtt.certificateFile",
        .path,
        .required(example: "/etc/muster/mqtt.pem"),
        "The certificate that Muster shows to the broker, and its intermediates, in PEM."
    )
    static let mqttKeyFile = ConfigurationKey(
        "mqtt.keyFile",
        .keyPath,
        .required(example: "/etc/muster/mqtt.key"),
        "Its private key, in PEM (mode 0600)."
    )
    static let mqttClientIDPrefix = ConfigurationKey(
        "mqtt.clientIDPrefix",
        .clientIDPrefix,
        .standard("muster"),
        "What the MQTT client identifiers start with; set it apart if two installations share a broker."
    )

    // MARK: issuers

    static let issuerName = ConfigurationKey(
        "issuers.*.name",
        .name(lengthMax: 40),
        .required(example: "issuing-1"),
        "The issuing CA's name, by which fleets choose it and under which its CRLs are published."
    )
    static let issuerCertificateFile = ConfigurationKey(
        "issuers.*.certificateFile",
        .path,
        .required(example: "/etc/muster/issuing-1.pem"),
        "Its certificate chain in PEM: the issuing CA first, then each CA's own issuer, the root last."
    )
    static let issuerKeyFile = ConfigurationKey(
        "issuers.*.keyFile",
        .keyLocation,
        .required(example: "/etc/muster/issuing-1.key"),
        "Its private key: a PEM file (mode 0600), or a pkcs11: URI (RFC 7512) without pin-value."
    )
    static let issuerPassphraseFile = ConfigurationKey(
        "issuers.*.passphraseFile",
        .path,
        .optional(example: "/etc/muster/issuing-1.passphrase"),
        "A file (mode 0600) whose first line is the key's passphrase, or the token's PIN."
    )

    static let issuerCRLShards = ConfigurationKey(
        "issuers.*.crlShards",
        .integer(CRLShards.allowed),
        .standard("\(CRLShards.standard)"),
        "How many CRLs its certificates are spread over from now on; those issued before stay in theirs. A CRL of 1,000 "
            + "revoked certificates has some 55 KB."
    )

    // MARK: trustStore

    static let trustStoreSignerCertificateFile = ConfigurationKey(
        "trustStore.signerCertificateFile",
        .path,
        .required(example: "/etc/muster/truststore-signer.pem"),
        "The certificate that signs trust stores, with its chain, in PEM; the root issues it for this alone."
    )
    static let trustStoreSignerKeyFile = ConfigurationKey(
        "trustStore.signerKeyFile",
        .keyLocation,
        .required(example: "/etc/muster/truststore-signer.key"),
        "Its private key: a PEM file (mode 0600), or a pkcs11: URI (RFC 7512) without pin-value."
    )
    static let trustStorePassphraseFile = ConfigurationKey(
        "trustStore.passphraseFile",
        .path,
        .optional(example: "/etc/muster/truststore-signer.passphrase"),
        "A file (mode 0600) whose first line is the key's passphrase, or the token's PIN."
    )
    static let trustStoreLifetime = ConfigurationKey(
        "trustStore.lifetimeDays",
        .days(1...3650),
        .standard("365"),
        "How long a published trust store is good."
    )

    // MARK: operator

    static let operatorListen = ConfigurationKey(
        "operator.listen",
        .listenAddress,
        .standard("0.0.0.0:9443"),
        "Where operators' commands and programs connect (the API, over TLS). Without this section there is none."
    )
    static let operatorCertificateFile = ConfigurationKey(
        "operator.certificateFile",
        .path,
        .required(example: "/etc/muster/operator.pem"),
        reloadable: true,
        "The TLS certificate of the operator front and its intermediates, in PEM, the server's own first."
    )
    static let operatorKeyFile = ConfigurationKey(
        "operator.keyFile",
        .keyPath,
        .required(example: "/etc/muster/operator.key"),
        reloadable: true,
        "Its private key, in PEM (mode 0600)."
    )
    static let operatorCACertificateFile = ConfigurationKey(
        "operator.caCertificateFile",
        .path,
        .required(example: "/etc/muster/operator-ca.pem"),
        "The CA of operators' certificates, in PEM; `muster operator init` makes one. It is none of the devices' CAs."
    )
    static let operatorCAKeyFile = ConfigurationKey(
        "operator.caKeyFile",
        .keyLocation,
        .required(example: "/etc/muster/operator-ca.key"),
        "Its private key: a PEM file (mode 0600), or a pkcs11: URI (RFC 7512) without pin-value."
    )
    static let operatorPassphraseFile = ConfigurationKey(
        "operator.passphraseFile",
        .path,
        .optional(example: "/etc/muster/operator-ca.passphrase"),
        "A file (mode 0600) whose first line is that key's passphrase, or the token's PIN."
    )
    static let operatorJWTIssuer = ConfigurationKey(
        "operator.jwtIssuer",
        .word(lengthMax: 500),
        .optional(example: "https://login.example.com"),
        "Takes bearer tokens (JWT) of this issuer (`iss`) too. The next two keys go with it."
    )
    static let operatorJWTAudience = ConfigurationKey(
        "operator.jwtAudience",
        .word(lengthMax: 500),
        .optional(example: "muster"),
        "What those tokens must be meant for (`aud`)."
    )
    static let operatorJWKSFile = ConfigurationKey(
        "operator.jwksFile",
        .path,
        .optional(example: "/etc/muster/jwks.json"),
        "The issuer's public keys as a JSON Web Key Set (RFC 7517); read again when a token names a key not in it."
    )
    static let operatorJWTRolesClaim = ConfigurationKey(
        "operator.jwtRolesClaim",
        .word(lengthMax: 100),
        .standard("roles"),
        "The claim that holds the role or a list of roles: gateway, viewer, operator or admin."
    )

    static let operatorRevocationsPerHourMax = ConfigurationKey(
        "operator.revocationsPerHourMax",
        .integer(0...1_000_000),
        .standard("1000"),
        "How many devices one operator may revoke an hour; a second operator has to approve more. 0 is no limit: for who has no "
            + "second operator."
    )

    // MARK: metrics

    static let metricsListen = ConfigurationKey(
        "metrics.listen",
        .listenAddress,
        .standard("127.0.0.1:9100"),
        "Where Prometheus fetches /metrics, over plain HTTP; for the monitoring network only."
    )

    // MARK: log, limits, shutdown

    static let logLevel = ConfigurationKey(
        "log.level",
        ConfigurationValueForm<Logger.Level>.choice,
        .standard("info"),
        reloadable: true,
        "The least severe messages that are logged: trace, debug, info, notice, warning, error or critical."
    )
    static let logFormat = ConfigurationKey(
        "log.format",
        ConfigurationValueForm<ServerConfiguration.Log.Format>.choice,
        .standard("json"),
        "json (one object a line) or text."
    )
    static let shutdownGrace = ConfigurationKey(
        "shutdown.graceSeconds",
        .seconds(0...600),
        .standard("10"),
        "How long requests under way may take to end after SIGTERM."
    )

    /// All keys, in the order of the example configuration.
    static let all: [ConfigurationKeyDescription] =
        [
            databaseURL.description, databasePasswordFile.description, databasePoolSize.description,
            databaseConnectTimeout.description, databaseStatementTimeout.description,
            estListen.description, estCertificateFile.description, estKeyFile.description, estDefaultFleet.description,
            estConnectionsMax.description, estHandshakeTimeout.description, estIdleTimeout.description,
            estTLSVersionMin.description, estLenientBodies.description,
            publicListen.description, publicURL.description, publicConnectionsMax.description,
            publicConnectionsPerAddressMax.description, publicIdleTimeout.description, publicBodyTimeout.description,
            crlLifetime.description, ocspValidity.description,
            issuerName.description, issuerCertificateFile.description, issuerKeyFile.description,
            issuerPassphraseFile.description, issuerCRLShards.description,
            trustStoreSignerCertificateFile.description, trustStoreSignerKeyFile.description,
            trustStorePassphraseFile.description, trustStoreLifetime.description,
            mqttHost.description, mqttPort.description, mqttCAFile.description, mqttCertificateFile.description,
            mqttKeyFile.description, mqttClientIDPrefix.description,
            operatorListen.description, operatorCertificateFile.description, operatorKeyFile.description,
            operatorCACertificateFile.description, operatorCAKeyFile.description, operatorPassphraseFile.description,
            operatorJWTIssuer.description, operatorJWTAudience.description, operatorJWKSFile.description,
            operatorJWTRolesClaim.description, operatorRevocationsPerHourMax.description,
        ] + webhooks + [
            metricsListen.description,
            logLevel.description, logFormat.description,
        ] + limits + [shutdownGrace.description]
    /// The names of all keys; `*` stands for an index.
    static let names = Set(all.map(\.name))
    /// The names of all sections.
    static let sections = Set(all.compactMap { $0.name.split(separator: ".").first.map(String.init) })
}
