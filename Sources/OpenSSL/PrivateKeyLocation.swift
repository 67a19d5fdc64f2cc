/// Where a private key is: a PEM file, or an object in a PKCS#11 token, named by its URI (RFC 7512).
package enum PrivateKeyLocation: Sendable, Hashable, CustomStringConvertible {
    case file(path: String)
    case pkcs11(uri: String)

    /// Reads a configured value: what begins with `pkcs11:` is a URI, all else a path.
    package init(_ text: String) {
        let scheme = text.prefix(PKCS11URI.scheme.count)
        self = scheme.lowercased() == PKCS11URI.scheme ? .pkcs11(uri: text) : .file(path: text)
    }

    /// The path or the URI; neither holds a secret, since `pin-value` is refused before anything prints it.
    package var description: String {
        switch self {
        case .file(let path): path
        case .pkcs11(let uri): PKCS11URI.withoutPINValue(uri)
        }
    }

    /// Finds what is wrong with the text of a URI, without opening anything: for the check of a configuration.
    package func check() throws(PrivateKeyLocationError) {
        switch self {
        case .file(let path):
            guard !path.isEmpty else { throw .uri("the path of the private key is empty") }
        case .pkcs11(let uri):
            _ = try PKCS11URI(uri)
        }
    }

    /// Opens the key.
    /// - Parameters:
    ///   - passphrase: Of an encrypted file; the PIN of a token whose URI has no `pin-source`.
    ///   - defaultModulePath: The PKCS#11 module of a URI without `module-path`.
    package func open(
        passphrase: [UInt8]?,
        defaultModulePath: String? = nil
    ) throws(PrivateKeyLocationError) -> PrivateKey {
        switch self {
        case .file(let path):
            return try Self.openFile(path, passphrase: passphrase)
        case .pkcs11(let text):
            let uri = try PKCS11URI(text)
            guard let modulePath = uri.modulePath ?? defaultModulePath else { throw .moduleMissing(uri: text) }
            let pin = try Self.pin(of: uri, passphrase: passphrase)
            do throws(OpenSSLError) {
                return try PKCS11Engine.privateKey(uri: uri.forEngine, modulePath: modulePath, pin: pin)
            } catch {
                throw .key(location: text, error)
            }
        }
    }

    private static func openFile(
        _ path: String,
        passphrase: [UInt8]?
    ) throws(PrivateKeyLocationError) -> PrivateKey {
        let pem: [UInt8]
        do throws(SecretFileError) {
            pem = try SecretFile.read(path: path, octetsMax: PrivateKey.pemOctetsMax)
        } catch {
            throw .file(error)
        }
        do throws(OpenSSLError) {
            return try PrivateKey(pem: pem, passphrase: passphrase)
        } catch {
            throw .key(location: path, error)
        }
    }

    /// A token without a PIN would be tried with an empty one, which many lock on; so one is demanded.
    private static func pin(
        of uri: PKCS11URI,
        passphrase: [UInt8]?
    ) throws(PrivateKeyLocationError) -> [UInt8] {
        var pin: [UInt8]
        if let source = uri.pinSource {
            do throws(SecretFileError) {
                pin = try SecretFile.read(path: source, octetsMax: PKCS11Engine.pinOctetsMax + 2)
            } catch {
                throw .file(error)
            }
            // The newline that an editor leaves at the end, with or without a carriage return.
            if pin.last == UInt8(ascii: "\n") { pin.removeLast() }
            if pin.last == UInt8(ascii: "\r") { pin.removeLast() }
        } else if let passphrase {
            pin = passphrase
        } else {
            throw .pinMissing
        }
        guard !pin.isEmpty, pin.count <= PKCS11Engine.pinOctetsMax, !pin.contains(0) else { throw .pinForm }
        return pin
    }
}

/// Why a private key could not be opened.
package enum PrivateKeyLocationError: Error, Hashable, CustomStringConvertible {
    /// The key's or the PIN's file.
    case file(SecretFileError)
    /// The file or token was there, the key was not to be had.
    case key(location: String, OpenSSLError)
    /// What is wrong with the URI.
    case uri(String)
    case pinValueInURI
    case pinMissing
    case pinForm
    case moduleMissing(uri: String)

    package var description: String {
        switch self {
        case .file(let error): "the private key's secret: \(error)"
        case .key(let location, let error): "\(location): \(error)"
        case .uri(let what): what
        case .pinValueInURI:
            "the PKCS#11 URI holds the PIN itself (pin-value); secrets do not belong in a configuration: "
                + "write the PIN to a file of mode 600 and name that with pin-source"
        case .pinMissing: "the PKCS#11 token needs a PIN; add ?pin-source=/path/of/a/file to the URI"
        case .pinForm: "the PKCS#11 PIN must have 1 to \(PKCS11Engine.pinOctetsMax) octets, none of them 0"
        case .moduleMissing(let uri):
            "\(uri) does not say which PKCS#11 module to load; add module-path=/usr/lib/… to its query"
        }
    }
}
