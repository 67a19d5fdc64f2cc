import PKI

/// Where the DeviceID of a bootstrap credential's holder is found.
package enum DeviceIDRule: Hashable, Sendable {
    /// The subject's serialNumber of an IDevID (IEEE 802.1AR section 8.6).
    case subjectSerialNumber
    /// The subject's common name.
    case subjectCommonName
    /// hwSerialNum of the hardwareModuleName in the subject's alternative names (RFC 4108 section 5).
    case hardwareModuleName
    /// A URI among the subject's alternative names.
    case subjectAltNameURI(DeviceIDPattern)
    /// The common name of the request: for a claim certificate that a whole batch shares.
    case requestCommonName

    /// The rule's names, as operators write and the record keeps them.
    package static let names = [
        "subject-serial-number", "subject-common-name", "hardware-module-name", "san-uri", "request-common-name",
    ]

    /// Nil if there is no rule of that name, or the pattern is missing or too much.
    package init?(name: String, pattern: DeviceIDPattern?) {
        switch (name, pattern) {
        case ("subject-serial-number", nil): self = .subjectSerialNumber
        case ("subject-common-name", nil): self = .subjectCommonName
        case ("hardware-module-name", nil): self = .hardwareModuleName
        case ("san-uri", let pattern?): self = .subjectAltNameURI(pattern)
        case ("request-common-name", nil): self = .requestCommonName
        default: return nil
        }
    }

    package var name: String {
        switch self {
        case .subjectSerialNumber: "subject-serial-number"
        case .subjectCommonName: "subject-common-name"
        case .hardwareModuleName: "hardware-module-name"
        case .subjectAltNameURI: "san-uri"
        case .requestCommonName: "request-common-name"
        }
    }

    package var pattern: DeviceIDPattern? {
        if case .subjectAltNameURI(let pattern) = self { pattern } else { nil }
    }

    /// True if the credential itself names no device: it is a claim.
    package var isClaim: Bool { self == .requestCommonName }

    /// What holds unless an operator says otherwise: an IDevID proves the device itself, a claim only the batch.
    package var standardKeyChange: KeyChangeRule { isClaim ? .refuse : .replace }
}

/// A URI with `{id}` in the place of the DeviceID, such as `urn:example:device:{id}`.
package struct DeviceIDPattern: Hashable, Sendable, CustomStringConvertible {
    package static let lengthMax = 200
    private static let place = "{id}"

    package let text: String
    private let prefix: String
    private let suffix: String

    /// Nil if `text` is no URI with exactly one `{id}`.
    package init?(_ text: String) {
        let parts = text.split(separator: Self.place, omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count <= Self.lengthMax, parts[0].contains(":"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        self.text = text
        prefix = String(parts[0])
        suffix = String(parts[1])
    }

    /// What stands in the place of `{id}`; nil if the URI is of another form.
    package func match(_ uri: String) -> String? {
        guard uri.utf8.count > prefix.utf8.count + suffix.utf8.count, uri.hasPrefix(prefix), uri.hasSuffix(suffix)
        else { return nil }
        return String(uri.dropFirst(prefix.count).dropLast(suffix.count))
    }

    package var description: String { text }
}
