import Foundation
import OpenSSL

/// A private key that is there already: where, and the file with its passphrase or PIN.
struct CAKeySource {
    /// As a configuration names it: an absolute path, or a PKCS#11 URI.
    let location: PrivateKeyLocation
    /// Absolute.
    let passphraseFile: String?

    /// - Parameter text: A path, or a `pkcs11:` URI (RFC 7512).
    init(_ text: String, passphraseFile: String?) {
        location =
            switch PrivateKeyLocation(text) {
            case .file(let path): .file(path: CAFolder.absolute(path))
            case .pkcs11(let uri): .pkcs11(uri: uri)
            }
        self.passphraseFile = passphraseFile.map(CAFolder.absolute)
    }

    /// Opens it.
    func open() throws(CARefusal) -> PrivateKey {
        let passphrase = try passphraseFile.map { file throws(CARefusal) in try CAPassphrase.read(file) }
        do throws(PrivateKeyLocationError) {
            return try location.open(passphrase: passphrase)
        } catch {
            throw CARefusal("\(error)\(advice(error))")
        }
    }

    private func advice(_ error: PrivateKeyLocationError) -> String {
        switch error {
        case .key(_, let reason) where passphraseFile == nil && reason.reasons.contains { $0.contains("encrypted") }:
            "; name a file (mode 0600) that holds it with --passphrase-file"
        case .key where passphraseFile != nil:
            "; --passphrase-file was \(passphraseFile ?? ""), of which the first line is taken"
        case .key, .file, .uri, .pinValueInURI, .pinMissing, .pinForm, .moduleMissing: ""
        }
    }
}

/// The file that `--passphrase-file` names: its first line is the passphrase, as `muster serve` takes it.
enum CAPassphrase {
    /// Reads it; refuses a file that others may read, and an empty passphrase.
    static func read(_ path: String) throws(CARefusal) -> [UInt8] {
        let content: [UInt8]
        do throws(SecretFileError) {
            // One line end may follow.
            content = try SecretFile.read(path: path, octetsMax: PrivateKey.passphraseOctetsMax + 2)
        } catch {
            throw CARefusal("--passphrase-file: \(error)")
        }
        let line = Array(content.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
        guard !line.isEmpty, line.count <= PrivateKey.passphraseOctetsMax else {
            throw CARefusal(
                "--passphrase-file: the first line of \(path) must be a passphrase of 1 to "
                    + "\(PrivateKey.passphraseOctetsMax) octets"
            )
        }
        return line
    }
}

extension CAKeyChoice {
    /// What libcrypto is asked for.
    var algorithm: KeyAlgorithm {
        switch self {
        case .p256: .ecdsaP256
        case .p384: .ecdsaP384
        case .rsa3072: .rsa(bits: 3072)
        case .rsa4096: .rsa(bits: 4096)
        }
    }
}
