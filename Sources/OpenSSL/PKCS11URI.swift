/// A PKCS#11 URI (RFC 7512) that names one private key: what of it this module understands. All else is refused, rather
/// than passed over and another key taken.
struct PKCS11URI: Sendable, Hashable {
    static let scheme = "pkcs11:"
    /// The most octets of a URI, and of one value in it (the engine's own bound).
    static let octetsMax = 2048
    static let valueOctetsMax = 200

    /// Path attributes that go to the engine as they are.
    private static let tokenAttributes: Set<String> = ["token", "manufacturer", "serial", "model"]
    private static let pinValueAttribute = "pin-value"

    /// The URI with the path attributes alone, as the engine takes it.
    let forEngine: String
    /// `module-path`: an absolute path.
    let modulePath: String?
    /// `pin-source`: an absolute path.
    let pinSource: String?

    init(_ text: String) throws(PrivateKeyLocationError) {
        guard text.utf8.count <= Self.octetsMax else {
            throw .uri("the PKCS#11 URI has more than \(Self.octetsMax) octets")
        }
        guard text.prefix(Self.scheme.count).lowercased() == Self.scheme else {
            throw .uri("a PKCS#11 URI begins with \(Self.scheme)")
        }
        let body = text.dropFirst(Self.scheme.count)
        let parts = body.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = try Self.attributes(of: parts.first ?? "", separator: ";")
        let query = try Self.attributes(of: parts.dropFirst().first ?? "", separator: "&")

        let names = [String](path.keys) + query.keys
        guard !names.contains(where: { $0.lowercased() == Self.pinValueAttribute }) else { throw .pinValueInURI }
        for name in query.keys where name != "pin-source" && name != "module-path" {
            throw .uri("the PKCS#11 URI has \(name) in its query; only pin-source and module-path are known there")
        }
        modulePath = try query["module-path"].map { value throws(PrivateKeyLocationError) in
            try Self.absolutePath(value, of: "module-path")
        }
        pinSource = try query["pin-source"].map { value throws(PrivateKeyLocationError) in
            try Self.absolutePath(value, of: "pin-source")
        }
        forEngine = try Self.engineURI(path)
    }

    /// `text` for messages: no value of a `pin-value`, in whatever case that is written.
    static func withoutPINValue(_ text: String) -> String {
        text.replacing(/(?i)(pin-value=)[^;&?]*/) { "\($0.output.1)…" }
    }

    private static func engineURI(_ path: [String: String]) throws(PrivateKeyLocationError) -> String {
        for (name, value) in path {
            switch name {
            case "object", "id": continue
            case _ where tokenAttributes.contains(name): continue
            case "type":
                guard value == "private" else { throw .uri("the PKCS#11 URI is for type=\(value), not type=private") }
            default:
                throw .uri("the PKCS#11 URI has the attribute \(name), which is not known here")
            }
        }
        guard path["object"] != nil || path["id"] != nil else {
            throw .uri("the PKCS#11 URI names no key; add object=… or id=…")
        }
        guard !tokenAttributes.isDisjoint(with: path.keys) else {
            throw .uri("the PKCS#11 URI names no token; add token=… or serial=…")
        }
        var kept = path
        // Given both, the engine takes a key that has either; the id alone is exact.
        if kept["id"] != nil { kept["object"] = nil }
        kept["type"] = "private"
        return scheme + kept.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ";")
    }

    /// Attributes by name, each once (RFC 7512 section 2.3), values still percent-encoded.
    private static func attributes(
        of text: Substring,
        separator: Character
    ) throws(PrivateKeyLocationError) -> [String: String] {
        var attributes: [String: String] = [:]
        for attribute in text.split(separator: separator) {
            let parts = attribute.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard parts.count == 2, !name.isEmpty else {
                throw .uri("the PKCS#11 URI has an attribute without a value")
            }
            let value = String(parts[1])
            guard let decoded = decode(value), decoded.utf8.count <= valueOctetsMax || name.hasSuffix("-path") else {
                throw .uri("the PKCS#11 URI's \(name) is too long or badly percent-encoded")
            }
            guard attributes.updateValue(value, forKey: name) == nil else {
                throw .uri("the PKCS#11 URI has \(name) twice")
            }
        }
        return attributes
    }

    private static func absolutePath(
        _ value: String,
        of name: String
    ) throws(PrivateKeyLocationError) -> String {
        var path = decode(value) ?? ""
        if path.hasPrefix("file://") {
            path.removeFirst("file://".count)
        } else if path.hasPrefix("file:") {
            path.removeFirst("file:".count)
        }
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw .uri("the PKCS#11 URI's \(name) must be an absolute path")
        }
        return path
    }

    /// Percent-decoding; nil where it is malformed. An `id` need not be UTF-8: for the length check that is as good.
    private static func decode(_ value: String) -> String? {
        var octets: [UInt8] = []
        var rest = Array(value.utf8)[...]
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "%") else {
                octets.append(octet)
                continue
            }
            guard rest.count >= 2, let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            octets.append(code)
            rest = rest.dropFirst(2)
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
