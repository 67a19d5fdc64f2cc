import Foundation

/// What `muster config check` does beyond reading: it looks at every file that the configuration names.
enum ConfigurationCheck {
    /// A file that the configuration names.
    struct NamedFile: Sendable, Equatable {
        /// The full name of the key.
        let key: String
        /// The whole path.
        let path: String
        /// Whether it holds a secret, so that its owner alone may read it.
        let isSecret: Bool
    }

    /// Reads the configuration and looks at its files.
    ///
    /// - Returns: A summary in one line.
    /// - Throws: All that is wrong: with the configuration or, if that is right, with its files.
    static func check(
        file: String?,
        environment: [String: String],
        overrides: [String]
    ) throws(ConfigurationProblems) -> String {
        let loaded = try LoadedConfiguration(file: file, environment: environment, overrides: overrides)
        let configuration = loaded.configuration
        let problems = configuration.namedFiles.compactMap { named -> ConfigurationProblem? in
            fault(of: named).map {
                ConfigurationProblem(origin: loaded.origins[named.key] ?? .nowhere, key: named.key, text: $0)
            }
        }
        if let problems = ConfigurationProblems(problems) { throw problems }
        let issuers = configuration.issuers.map(\.name).joined(separator: ", ")
        let broker = configuration.mqtt.map { "\($0.host):\($0.port)" } ?? "none"
        return "\(file ?? "configuration"): good; devices on \(configuration.est.listen), public on "
            + "\(configuration.publicFront.listen), issuers \(issuers), broker \(broker)"
    }

    /// What is wrong with a file; nil if nothing is.
    private static func fault(of named: NamedFile) -> String? {
        // Links are followed: Kubernetes mounts secrets as links.
        let path = URL(fileURLWithPath: named.path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
            return "there is no file \(named.path), or its folder may not be entered"
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular else { return "\(named.path) is not a file" }
        guard FileManager.default.isReadableFile(atPath: path) else {
            return "\(named.path) cannot be read by this user; run the check as the user that serves"
        }
        guard attributes[.size] as? Int != 0 else { return "\(named.path) is empty" }
        let mode = (attributes[.posixPermissions] as? Int) ?? 0
        if named.isSecret, mode & 0o077 != 0 {
            return "\(named.path) has mode 0\(String(mode, radix: 8)), so that others than its owner get at it; "
                + "chmod 600 it"
        }
        return nil
    }
}

extension ServerConfiguration {
    /// Every file that the configuration names, in the order of the keys.
    var namedFiles: [ConfigurationCheck.NamedFile] {
        var files: [ConfigurationCheck.NamedFile] = []
        func add(_ key: String, _ path: String?, isSecret: Bool = false) {
            guard let path else { return }
            files.append(ConfigurationCheck.NamedFile(key: key, path: path, isSecret: isSecret))
        }
        add("database.passwordFile", database.passwordFile, isSecret: true)
        add("est.certificateFile", est.certificateFile)
        add("est.keyFile", est.keyFile, isSecret: true)
        for (index, issuer) in issuers.enumerated() {
            add("issuers.\(index).certificateFile", issuer.certificateFile)
            add("issuers.\(index).keyFile", issuer.key.path, isSecret: true)
            add("issuers.\(index).passphraseFile", issuer.passphraseFile, isSecret: true)
        }
        add("trustStore.signerCertificateFile", trustStore.signerCertificateFile)
        add("trustStore.signerKeyFile", trustStore.signerKey.path, isSecret: true)
        add("trustStore.passphraseFile", trustStore.passphraseFile, isSecret: true)
        add("mqtt.caFile", mqtt?.caFile)
        add("mqtt.certificateFile", mqtt?.certificateFile)
        add("mqtt.keyFile", mqtt?.keyFile, isSecret: true)
        add("operator.certificateFile", operatorFront?.certificateFile)
        add("operator.keyFile", operatorFront?.keyFile, isSecret: true)
        add("operator.caCertificateFile", operatorFront?.caCertificateFile)
        add("operator.caKeyFile", operatorFront?.caKey.path, isSecret: true)
        add("operator.passphraseFile", operatorFront?.passphraseFile, isSecret: true)
        add("operator.jwksFile", operatorFront?.tokens?.keySetFile)
        for (index, webhook) in webhooks.enumerated() {
            add("webhooks.\(index).secretFile", webhook.secretFile, isSecret: true)
            add("webhooks.\(index).caFile", webhook.caFile)
        }
        return files
    }
}
