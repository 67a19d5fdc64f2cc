/// The name of a CRL in a URL: `<issuer>.crl` for the list of all of an issuer's certificates, `<issuer>/<shard>.crl` for
/// that of a shard, `.delta.crl` for what has changed since the base, and `.pem` in place of `.crl` for PEM.
package struct CRLPath: Hashable, Sendable {
    /// Its name, or SHA-256 of its certificate.
    package let issuer: String
    /// From 1 on; nil for the list of all.
    package let shard: Int?
    package let isDelta: Bool
    package let isPEM: Bool

    /// Nil if it names none. There is one way to write each name, so that no list has two URLs.
    /// - Parameters:
    ///   - file: The last part of the path.
    ///   - issuer: The part before it; nil if there is none.
    package init?(_ file: String, issuer: String?) {
        guard let dot = file.firstIndex(of: ".") else { return nil }
        switch file[dot...] {
        case ".crl": (isDelta, isPEM) = (false, false)
        case ".pem": (isDelta, isPEM) = (false, true)
        case ".delta.crl": (isDelta, isPEM) = (true, false)
        case ".delta.pem": (isDelta, isPEM) = (true, true)
        default: return nil
        }
        let stem = String(file[..<dot])
        guard let issuer else {
            (self.issuer, shard) = (stem, nil)
            return
        }
        guard let number = Int(stem), number > 0, "\(number)" == stem else { return nil }
        (self.issuer, shard) = (issuer, number)
    }
}
