import Foundation
import NIOCore

/// A host and port of this machine; no other can be spelled.
struct LoopbackEndpoint: Hashable, Sendable {
    /// As given, for the Host field and to verify the server's certificate.
    let host: String
    let port: Int
    /// Resolved once, so that no device waits for a resolver.
    let address: SocketAddress

    /// - Throws: `notLoopback` for every host but `localhost`, 127.0.0.0/8 and `::1`.
    init(host: String, port: Int) throws {
        let ip = host == "localhost" ? "127.0.0.1" : host
        guard (1...65535).contains(port) else { throw SimulatorError.devFile("\(port) is not a port") }
        guard let address = try? SocketAddress(ipAddress: ip, port: port), Self.isLoopback(ip, address) else {
            throw SimulatorError.notLoopback(host)
        }
        self.host = host
        self.port = port
        self.address = address
    }

    /// The endpoint of `https://host:port` or `http://host:port`, with nothing behind it.
    init(url text: String) throws {
        guard let url = URLComponents(string: text), let scheme = url.scheme, let host = url.host,
            scheme == "https" || scheme == "http", ["", "/"].contains(url.path), url.query == nil
        else { throw SimulatorError.devFile("\(text) is not a URL of scheme, host and port") }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        try self.init(host: bare, port: url.port ?? (scheme == "https" ? 443 : 80))
    }

    /// The value of a Host field (RFC 9110 section 7.2).
    var hostField: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The name for SNI and certificate verification; nil for an IP address, which SNI cannot carry (RFC 6066).
    var serverName: String? { host == "localhost" ? host : nil }

    /// The octets of the address, as a certificate's iPAddress has them (RFC 5280 section 4.2.1.6).
    var addressOctets: [UInt8] {
        let ip = address.ipAddress ?? ""
        return ip == "::1" ? [UInt8](repeating: 0, count: 15) + [1] : ip.split(separator: ".").compactMap { UInt8($0) }
    }

    private static func isLoopback(_ ip: String, _ address: SocketAddress) -> Bool {
        switch address {
        case .v4: ip.hasPrefix("127.")
        case .v6: address.ipAddress == "::1"
        case .unixDomainSocket: false
        }
    }
}
