/// An address that a front listens on.
struct ListenAddress: Sendable, Hashable {
    /// A host name, an IPv4 address, or an IPv6 address without its brackets.
    let host: String
    /// The TCP port; 0 lets the system choose a free one.
    let port: Int

    /// Reads `host:port` or `[IPv6 address]:port`; nil if the text is neither.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let portText = text[text.index(after: colon)...]
        guard (1...5).contains(portText.utf8.count), portText.utf8.allSatisfy({ (48...57).contains($0) }),
            let port = Int(portText), port <= 65535
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else { return nil }
            host = host.dropFirst().dropLast()
            guard Self.isIPv6(host) else { return nil }
        } else {
            guard Self.isIPv4(host) || Self.isName(host) else { return nil }
        }
        self.host = String(host)
        self.port = port
    }

    /// Whether one of two listeners would find its address taken by the other.
    func collides(with other: Self) -> Bool {
        port != 0 && port == other.port && (host == other.host || isWildcard || other.isWildcard)
    }

    private var isWildcard: Bool {
        host == "0.0.0.0" || host == "::"
    }

    private static func isIPv4(_ host: Substring) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { (1...3).contains($0.utf8.count) && UInt8($0) != nil && !$0.hasPrefix("+") }
    }

    private static func isIPv6(_ host: Substring) -> Bool {
        let address = host.split(separator: "%", maxSplits: 1).first ?? ""
        return (2...45).contains(address.utf8.count) && address.filter { $0 == ":" }.count >= 2
            && address.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
    }

    /// RFC 1123 §2.1, with a letter somewhere, so that a mistyped IPv4 address does not pass for a name.
    private static func isName(_ host: Substring) -> Bool {
        (1...253).contains(host.utf8.count) && host.contains { $0.isLetter }
            && host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            }
    }
}

extension ListenAddress: CustomStringConvertible {
    /// As it is written in the configuration.
    var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
