extension ConfigurationValueForm where Value == String {
    /// 1 to `lengthMax` of `a-z0-9-`: the names of fleets and issuers.
    static func name(lengthMax: Int) -> Self {
        let expectation = "1 to \(lengthMax) of a-z, 0-9 and -"
        return Self(expectation: expectation) { text, _ in
            let fits =
                (1...lengthMax).contains(text.utf8.count)
                && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
            return fits ? .success(text) : .failure(.unexpected(text, expectation))
        }
    }

    /// 1 to `lengthMax` visible ASCII characters, without spaces.
    static func word(lengthMax: Int) -> Self {
        let expectation = "1 to \(lengthMax) characters without spaces"
        return Self(expectation: expectation) { text, _ in
            let fits = (1...lengthMax).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            return fits ? .success(text) : .failure(.unexpected(text, expectation))
        }
    }

    /// The name or address of a host, without a port.
    static var host: Self {
        let expectation = "a host name or an IP address, without a port"
        return Self(expectation: expectation) { text, _ in
            let isHost = ListenAddress(text + ":1") != nil || ListenAddress("[\(text)]:1") != nil
            return isHost ? .success(text) : .failure(.unexpected(text, expectation))
        }
    }

    /// The beginning of an MQTT client identifier: letters and digits that every broker takes (MQTT 5 §3.1.3.1),
    /// and `-`, which separates.
    static var clientIDPrefix: Self {
        let expectation = "1 to 16 of a-z, A-Z, 0-9 and -"
        return Self(expectation: expectation) { text, _ in
            let fits =
                (1...16).contains(text.utf8.count)
                && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            return fits ? .success(text) : .failure(.unexpected(text, expectation))
        }
    }

    /// The start of URLs that stand in certificates; a `/` at its end is dropped.
    static var baseURL: Self {
        Self(expectation: "http://host[:port][/path] or the same with https") { text, _ in
            guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else {
                return .failure(ConfigurationValueFault("does not start with http:// or https://"))
            }
            let rest = text.dropFirst(scheme.count)
            guard !rest.contains("@") else {
                return .failure(
                    ConfigurationValueFault("holds a user or password; certificates are public: take it out")
                )
            }
            let authority = String(rest.prefix { $0 != "/" })
            guard ListenAddress(authority) != nil || ListenAddress(authority + ":1") != nil else {
                return .failure(ConfigurationValueFault("has no valid host; write such as http://pki.example.com"))
            }
            guard rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
                !rest.contains(where: { "?#\"<>\\".contains($0) })
            else {
                return .failure(
                    ConfigurationValueFault("may not have spaces, a query or a fragment; end it at the path")
                )
            }
            return .success(text.hasSuffix("/") ? String(text.dropLast()) : text)
        }
    }

    /// The path of a file; a relative one starts from the folder of the configuration file.
    static var path: Self {
        Self(expectation: "the path of a file", parse: resolvedPath)
    }

    /// The path of a PEM file with a private key, which may not be in a token.
    static var keyPath: Self {
        Self(expectation: "the path of a PEM file (mode 0600)") { text, folder in
            guard !text.hasPrefix("pkcs11:") else {
                return .failure(
                    ConfigurationValueFault("is a PKCS #11 URI; the TLS key must be a PEM file, so write its path")
                )
            }
            return resolvedPath(text, folder)
        }
    }
}

extension ConfigurationValueForm where Value == KeyLocation {
    /// The path of a PEM file, or a PKCS #11 URI.
    static var keyLocation: Self {
        Self(expectation: "the path of a PEM file (mode 0600) or a pkcs11: URI") { text, folder in
            guard text.hasPrefix("pkcs11:") else { return resolvedPath(text, folder).map { .file($0) } }
            // RFC 7512 §2.4: pin-value is the PIN itself. Percent-encoded names would hide it.
            let attributes = text.dropFirst("pkcs11:".count).split { ";?&".contains($0) }
            let names = attributes.map { $0.prefix { $0 != "=" } }
            if names.contains(where: { $0.lowercased() == "pin-value" || $0.contains("%") }) {
                return .failure(
                    ConfigurationValueFault("holds a PIN (pin-value); put it in a file that passphraseFile names")
                )
            }
            guard !attributes.isEmpty, zip(attributes, names).allSatisfy({ $0.count > $1.count }) else {
                return .failure(
                    ConfigurationValueFault("is not a PKCS #11 URI; write such as pkcs11:token=muster;object=issuing-1")
                )
            }
            return .success(.pkcs11(text))
        }
    }
}

/// Never repeats the text: a key or passphrase may have been put where its path belongs.
@Sendable
private func resolvedPath(_ text: String, _ folder: String) -> Result<String, ConfigurationValueFault> {
    guard !text.contains("-----BEGIN") else {
        return .failure(ConfigurationValueFault("holds PEM text itself; put it in a file and write the file's path"))
    }
    guard !text.isEmpty, text.utf8.count <= 4096,
        text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
    else {
        return .failure(ConfigurationValueFault("is not a path: empty, too long, or with control characters in it"))
    }
    guard !text.hasPrefix("~") else {
        return .failure(ConfigurationValueFault("starts with ~, which is not expanded; write the whole path"))
    }
    guard !text.hasPrefix("/") else { return .success(text) }
    let relative = text.hasPrefix("./") ? String(text.dropFirst(2)) : text
    return .success(folder.hasSuffix("/") ? folder + relative : "\(folder)/\(relative)")
}
