import PKI

extension ServerConfiguration {
    /// Reads the configuration. The command line goes before the environment, and that before the file.
    ///
    /// - Parameters:
    ///   - file: The path of the YAML file; nil if all is said by the environment and the command line.
    ///   - environment: The process' environment. Variables with `MUSTER_` that are no key, nor nearly one, are let be.
    ///   - overrides: What follows each `--set`: `est.listen=0.0.0.0:8443`.
    /// - Throws: All that is wrong, at once.
    static func load(
        file: String?,
        environment: [String: String],
        overrides: [String]
    ) throws(ConfigurationProblems) -> Self {
        try LoadedConfiguration(file: file, environment: environment, overrides: overrides).configuration
    }

    /// Reads every section before it looks at any, so that all problems are found.
    init?(_ reading: inout ConfigurationReading) {
        let database = Database(&reading)
        let est = EST(&reading)
        let publicFront = PublicFront(&reading)
        let crl = reading.value(ConfigurationKeys.crlLifetime).map(CRL.init(lifetime:))
        let ocsp = reading.value(ConfigurationKeys.ocspValidity).map(OCSP.init(validity:))
        let mqtt = reading.firstKey(in: "mqtt") == nil ? nil : MQTT(&reading)
        let issuers = Issuer.list(&reading)
        let trustStore = TrustStore(&reading)
        let operatorFront = reading.firstKey(in: "operator") == nil ? nil : OperatorFront(&reading)
        let webhooks = Webhook.list(&reading)
        let metrics = reading.value(ConfigurationKeys.metricsListen).map(Metrics.init(listen:))
        let log = Log(&reading)
        let limits = Limits(&reading)
        let shutdown = reading.value(ConfigurationKeys.shutdownGrace).map(Shutdown.init(grace:))
        Self.checkPorts(
            &reading,
            [
                ("est.listen", est?.listen), ("public.listen", publicFront?.listen),
                ("operator.listen", operatorFront?.listen), ("metrics.listen", metrics?.listen),
            ]
        )
        guard let database, let est, let publicFront, let crl, let ocsp, let issuers, let trustStore,
            let webhooks, let metrics, let log, let limits, let shutdown
        else { return nil }
        self.init(
            database: database,
            est: est,
            publicFront: publicFront,
            crl: crl,
            ocsp: ocsp,
            mqtt: mqtt,
            issuers: issuers,
            trustStore: trustStore,
            operatorFront: operatorFront,
            webhooks: webhooks,
            metrics: metrics,
            log: log,
            limits: limits,
            shutdown: shutdown
        )
    }
}

extension ServerConfiguration {
    private static func checkPorts(_ reading: inout ConfigurationReading, _ fronts: [(String, ListenAddress?)]) {
        let listening = fronts.compactMap { name, address in address.map { (name, $0) } }
        for (index, front) in listening.enumerated() {
            for other in listening.dropFirst(index + 1) where front.1.collides(with: other.1) {
                reading.contradiction(front.0, other.0, "both would listen on port \(front.1.port); change one")
            }
        }
    }
}

extension ServerConfiguration.Database {
    fileprivate init?(_ reading: inout ConfigurationReading) {
        let address = reading.value(ConfigurationKeys.databaseURL)
        let passwordFile = reading.value(ConfigurationKeys.databasePasswordFile)
        let poolSize = reading.value(ConfigurationKeys.databasePoolSize)
        let connectTimeout = reading.value(ConfigurationKeys.databaseConnectTimeout)
        let statementTimeout = reading.value(ConfigurationKeys.databaseStatementTimeout)
        if let address, address.parameters.contains("connect_timeout") {
            reading.contradiction(
                "database.url",
                "database.connectTimeoutSeconds",
                "take connect_timeout out of the URL"
            )
        }
        if let address, passwordFile != nil, address.parameters.contains("passfile") {
            reading.contradiction(
                "database.url",
                "database.passwordFile",
                "the URL has a passfile; keep one of the two"
            )
        }
        guard let address, let poolSize, let connectTimeout, let statementTimeout else { return nil }
        self.init(
            address: address,
            passwordFile: passwordFile,
            poolSize: poolSize,
            connectTimeout: connectTimeout,
            statementTimeout: statementTimeout
        )
    }
}

extension ServerConfiguration.EST {
    fileprivate init?(_ reading: inout ConfigurationReading) {
        let listen = reading.value(ConfigurationKeys.estListen)
        let certificateFile = reading.value(ConfigurationKeys.estCertificateFile)
        let keyFile = reading.value(ConfigurationKeys.estKeyFile)
        let defaultFleet = reading.value(ConfigurationKeys.estDefaultFleet)
        let connectionsMax = reading.value(ConfigurationKeys.estConnectionsMax)
        let handshakeTimeout = reading.value(ConfigurationKeys.estHandshakeTimeout)
        let idleTimeout = reading.value(ConfigurationKeys.estIdleTimeout)
        let tlsVersionMin = reading.value(ConfigurationKeys.estTLSVersionMin)
        let lenientBodies = reading.value(ConfigurationKeys.estLenientBodies)
        guard let listen, let certificateFile, let keyFile, let connectionsMax, let handshakeTimeout, let idleTimeout,
            let tlsVersionMin, let lenientBodies
        else { return nil }
        self.init(
            listen: listen,
            certificateFile: certificateFile,
            keyFile: keyFile,
            defaultFleet: defaultFleet,
            connectionsMax: connectionsMax,
            handshakeTimeout: handshakeTimeout,
            idleTimeout: idleTimeout,
            tlsVersionMin: tlsVersionMin,
            lenientBodies: lenientBodies
        )
    }
}

extension ServerConfiguration.PublicFront {
    fileprivate init?(_ reading: inout ConfigurationReading) {
        let listen = reading.value(ConfigurationKeys.publicListen)
        let url = reading.value(ConfigurationKeys.publicURL)
        let connectionsMax = reading.value(ConfigurationKeys.publicConnectionsMax)
        let connectionsPerAddressMax = reading.value(ConfigurationKeys.publicConnectionsPerAddressMax)
        let idleTimeout = reading.value(ConfigurationKeys.publicIdleTimeout)
        let bodyTimeout = reading.value(ConfigurationKeys.publicBodyTimeout)
        guard let listen, let connectionsMax, let connectionsPerAddressMax, let idleTimeout, let bodyTimeout else {
            return nil
        }
        self.init(
            listen: listen,
            url: url,
            connectionsMax: connectionsMax,
            connectionsPerAddressMax: connectionsPerAddressMax,
            idleTimeout: idleTimeout,
            bodyTimeout: bodyTimeout
        )
    }
}

extension ServerConfiguration.MQTT {
    fileprivate init?(_ reading: inout ConfigurationReading) {
        let host = reading.value(ConfigurationKeys.mqttHost)
        let port = reading.value(ConfigurationKeys.mqttPort)
        let caFile = reading.value(ConfigurationKeys.mqttCAFile)
        let certificateFile = reading.value(ConfigurationKeys.mqttCertificateFile)
        let keyFile = reading.value(ConfigurationKeys.mqttKeyFile)
        let clientIDPrefix = reading.value(ConfigurationKeys.mqttClientIDPrefix)
        guard let host, let port, let caFile, let certificateFile, let keyFile, let clientIDPrefix else { return nil }
        self.init(
            host: host,
            port: port,
            caFile: caFile,
            certificateFile: certificateFile,
            keyFile: keyFile,
            clientIDPrefix: clientIDPrefix
        )
    }
}

extension ServerConfiguration.Issuer {
    fileprivate static func list(_ reading: inout ConfigurationReading) -> [Self]? {
        let count = reading.settings.entryCounts["issuers"] ?? 0
        guard count > 0 else {
            reading.reportMissing("issuers", "is missing; list at least one issuing CA: - name: issuing-1")
            return nil
        }
        var issuers: [Self] = []
        var indexes: [String: Int] = [:]
        for index in 0..<count {
            let name = reading.value(ConfigurationKeys.issuerName, at: index)
            let certificateFile = reading.value(ConfigurationKeys.issuerCertificateFile, at: index)
            let key = reading.value(ConfigurationKeys.issuerKeyFile, at: index)
            let passphraseFile = reading.value(ConfigurationKeys.issuerPassphraseFile, at: index)
            if let name, let earlier = indexes.updateValue(index, forKey: name) {
                reading.contradiction(
                    "issuers.\(earlier).name",
                    "issuers.\(index).name",
                    "both are \"\(name)\"; every issuer has a name of its own"
                )
            }
            if passphraseFile != nil {
                reading.checkPINSource(key, "issuers.\(index).keyFile", "issuers.\(index).passphraseFile")
            }
            let crlShards = reading.value(ConfigurationKeys.issuerCRLShards, at: index)
            guard let name, let certificateFile, let key, let crlShards else { continue }
            issuers.append(
                Self(
                    name: name,
                    certificateFile: certificateFile,
                    key: key,
                    passphraseFile: passphraseFile,
                    crlShards: crlShards
                )
            )
        }
        return issuers.count == count ? issuers : nil
    }
}

extension ServerConfiguration.TrustStore {
    fileprivate init?(_ reading: inout ConfigurationReading) {
        let signerCertificateFile = reading.value(ConfigurationKeys.trustStoreSignerCertificateFile)
        let signerKey = reading.value(ConfigurationKeys.trustStoreSignerKeyFile)
        let passphraseFile = reading.value(ConfigurationKeys.trustStorePassphraseFile)
        let lifetime = reading.value(ConfigurationKeys.trustStoreLifetime)
        if passphraseFile != nil {
            reading.checkPINSource(signerKey, "trustStore.signerKeyFile", "trustStore.passphraseFile")
        }
        guard let signerCertificateFile, let signerKey, let lifetime else { return nil }
        self.init(
            signerCertificateFile: signerCertificateFile,
            signerKey: signerKey,
            passphraseFile: passphraseFile,
            lifetime: lifetime
        )
    }
}

extension ServerConfiguration.OperatorFront {
    fileprivate init?(_ reading: inout ConfigurationReading) {
        let listen = reading.value(ConfigurationKeys.operatorListen)
        let certificateFile = reading.value(ConfigurationKeys.operatorCertificateFile)
        let keyFile = reading.value(ConfigurationKeys.operatorKeyFile)
        let caCertificateFile = reading.value(ConfigurationKeys.operatorCACertificateFile)
        let caKey = reading.value(ConfigurationKeys.operatorCAKeyFile)
        let passphraseFile = reading.value(ConfigurationKeys.operatorPassphraseFile)
        let tokens = Tokens.read(&reading)
        let revocationsPerHourMax = reading.value(ConfigurationKeys.operatorRevocationsPerHourMax)
        if passphraseFile != nil {
            reading.checkPINSource(caKey, "operator.caKeyFile", "operator.passphraseFile")
        }
        guard let listen, let certificateFile, let keyFile, let caCertificateFile, let caKey, let revocationsPerHourMax
        else { return nil }
        self.init(
            listen: listen,
            certificateFile: certificateFile,
            keyFile: keyFile,
            caCertificateFile: caCertificateFile,
            caKey: caKey,
            passphraseFile: passphraseFile,
            tokens: tokens,
            revocationsPerHourMax: revocationsPerHourMax
        )
    }
}

extension ServerConfiguration.OperatorFront.Tokens {
    /// All three, or none.
    fileprivate static func read(_ reading: inout ConfigurationReading) -> Self? {
        let issuer = reading.value(ConfigurationKeys.operatorJWTIssuer)
        let audience = reading.value(ConfigurationKeys.operatorJWTAudience)
        let keySetFile = reading.value(ConfigurationKeys.operatorJWKSFile)
        let rolesClaim = reading.value(ConfigurationKeys.operatorJWTRolesClaim)
        let given = [
            ("operator.jwtIssuer", issuer), ("operator.jwtAudience", audience), ("operator.jwksFile", keySetFile),
        ]
        if let present = given.first(where: { $0.1 != nil }), let missing = given.first(where: { $0.1 == nil }) {
            reading.reportMissing(missing.0, "is missing; \(present.0) goes with it")
        }
        guard let issuer, let audience, let keySetFile, let rolesClaim else { return nil }
        return Self(issuer: issuer, audience: audience, keySetFile: keySetFile, rolesClaim: rolesClaim)
    }
}

extension ServerConfiguration.Webhook {
    fileprivate static func list(_ reading: inout ConfigurationReading) -> [Self]? {
        let count = reading.settings.entryCounts["webhooks"] ?? 0
        var webhooks: [Self] = []
        var indexes: [String: Int] = [:]
        for index in 0..<count {
            let name = reading.value(ConfigurationKeys.webhookName, at: index)
            let url = reading.value(ConfigurationKeys.webhookURL, at: index)
            let secretFile = reading.value(ConfigurationKeys.webhookSecretFile, at: index)
            let caFile = reading.value(ConfigurationKeys.webhookCAFile, at: index)
            let kinds = reading.value(ConfigurationKeys.webhookEvents, at: index)
            let fleets = reading.value(ConfigurationKeys.webhookFleets, at: index)
            if let name, let earlier = indexes.updateValue(index, forKey: name) {
                reading.contradiction(
                    "webhooks.\(earlier).name",
                    "webhooks.\(index).name",
                    "both are \"\(name)\"; every webhook has a name of its own"
                )
            }
            guard let name, let url, let secretFile, let kinds else { continue }
            webhooks.append(
                Self(name: name, url: url, secretFile: secretFile, caFile: caFile, kinds: kinds, fleets: fleets)
            )
        }
        return webhooks.count == count ? webhooks : nil
    }
}

extension ServerConfiguration.Log {
    fileprivate init?(_ reading: inout ConfigurationReading) {
        let level = reading.value(ConfigurationKeys.logLevel)
        let format = reading.value(ConfigurationKeys.logFormat)
        guard let level, let format else { return nil }
        self.init(level: level, format: format)
    }
}

extension ServerConfiguration.Limits {
    fileprivate init?(_ reading: inout ConfigurationReading) {
        let connectionsPerAddressMax = reading.value(ConfigurationKeys.limitsConnectionsPerAddressMax)
        let handshakesMax = reading.value(ConfigurationKeys.limitsHandshakesMax)
        let enrollmentsMax = reading.value(ConfigurationKeys.limitsEnrollmentsMax)
        let requestHeaderBytesMax = reading.value(ConfigurationKeys.limitsRequestHeaderBytesMax)
        let requestBodyBytesMax = reading.value(ConfigurationKeys.limitsRequestBodyBytesMax)
        let requestBodyTimeout = reading.value(ConfigurationKeys.limitsRequestBodyTimeout)
        let csrBytesMax = reading.value(ConfigurationKeys.limitsCSRBytesMax)
        let csrItemsMax = reading.value(ConfigurationKeys.limitsCSRItemsMax)
        let chainCertificatesMax = reading.value(ConfigurationKeys.limitsChainCertificatesMax)
        let chainBytesMax = reading.value(ConfigurationKeys.limitsChainBytesMax)
        let databaseQueueMax = reading.value(ConfigurationKeys.limitsDatabaseQueueMax)
        let commitQueueMax = reading.value(ConfigurationKeys.limitsCommitQueueMax)
        let commitGroupMax = reading.value(ConfigurationKeys.limitsCommitGroupMax)
        let attemptsKeptMonths = reading.value(ConfigurationKeys.limitsAttemptsKeptMonths)
        guard let connectionsPerAddressMax, let handshakesMax, let enrollmentsMax, let requestHeaderBytesMax,
            let requestBodyBytesMax, let requestBodyTimeout, let csrBytesMax, let csrItemsMax,
            let chainCertificatesMax, let chainBytesMax, let databaseQueueMax, let commitQueueMax, let commitGroupMax,
            let attemptsKeptMonths
        else { return nil }
        if commitGroupMax > commitQueueMax {
            reading.contradiction(
                "limits.commitGroupMax",
                "limits.commitQueueMax",
                "a group of \(commitGroupMax) never fills from a queue of \(commitQueueMax)"
            )
        }
        self.init(
            connectionsPerAddressMax: connectionsPerAddressMax,
            handshakesMax: handshakesMax,
            enrollmentsMax: enrollmentsMax,
            requestHeaderBytesMax: requestHeaderBytesMax,
            requestBodyBytesMax: requestBodyBytesMax,
            requestBodyTimeout: requestBodyTimeout,
            csr: RequestBounds(octetsMax: csrBytesMax, itemsMax: csrItemsMax),
            chainCertificatesMax: chainCertificatesMax,
            chainBytesMax: chainBytesMax,
            databaseQueueMax: databaseQueueMax,
            commitQueueMax: commitQueueMax,
            commitGroupMax: commitGroupMax,
            attemptsKeptMonths: attemptsKeptMonths
        )
    }
}

extension ConfigurationReading {
    /// RFC 7512 §2.4: pin-source names the PIN's file in the URI itself.
    fileprivate mutating func checkPINSource(_ key: KeyLocation?, _ keyName: String, _ passphraseName: String) {
        guard case .pkcs11(let uri) = key, uri.contains("pin-source=") else { return }
        contradiction(keyName, passphraseName, "the URI has a pin-source; keep one of the two")
    }
}
