import Crypto
import Foundation

/// The headers by which a receiver knows a delivery, when it was sent and by whom (Standard Webhooks 1.0, symmetric signatures).
struct WebhookSignature: Sendable, CustomStringConvertible {
    /// What a secret begins with, so that people and scanners know it; may be left out.
    static let secretPrefix = "whsec_"
    /// Standard Webhooks: between 24 and 64 bytes.
    static let secretOctets = 24...64
    /// The present secret, and one that the receiver changes to or from.
    static let secretsMax = 2

    private let keys: [SymmetricKey]

    /// Nil if the lines are not one or two secrets; empty lines do not count.
    init?(secrets lines: [String]) {
        let secrets = lines.filter { !$0.isEmpty }
        guard (1...Self.secretsMax).contains(secrets.count) else { return nil }
        var keys: [SymmetricKey] = []
        for secret in secrets {
            let text = secret.hasPrefix(Self.secretPrefix) ? String(secret.dropFirst(Self.secretPrefix.count)) : secret
            guard let octets = Data(base64Encoded: text), Self.secretOctets.contains(octets.count) else { return nil }
            keys.append(SymmetricKey(data: octets))
        }
        self.keys = keys
    }

    /// The headers of one delivery.
    /// - Parameter at: When it is sent: a receiver refuses what is old, so a repeat is signed anew.
    func headers(message: String, body: [UInt8], at: Date) -> [(name: String, value: String)] {
        let timestamp = "\(Int64(at.timeIntervalSince1970))"
        let signed = Data("\(message).\(timestamp).".utf8) + body
        let signatures = keys.map { key in
            "v1," + Data(HMAC<SHA256>.authenticationCode(for: signed, using: key)).base64EncodedString()
        }
        return [
            ("webhook-id", message), ("webhook-timestamp", timestamp),
            ("webhook-signature", signatures.joined(separator: " ")),
        ]
    }

    /// Never the secrets.
    var description: String { "signature with \(keys.count) secrets" }
}
