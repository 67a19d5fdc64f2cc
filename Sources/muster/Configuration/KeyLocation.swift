/// Where a private key is.
enum KeyLocation: Sendable, Hashable {
    /// A PEM file, by its whole path.
    case file(String)
    /// A key in a token, by its PKCS #11 URI (RFC 7512), which has no PIN in it.
    case pkcs11(String)

    /// The path, if the key is in a file.
    var path: String? {
        switch self {
        case .file(let path): path
        case .pkcs11: nil
        }
    }
}
