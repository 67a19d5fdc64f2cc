import SwiftASN1

/// OCSP requests that no client makes, from the one certificate of a request that one made.
package struct HandmadeOCSPRequest {
    /// DER of its Request (RFC 6960 section 4.1.1).
    private let request: [UInt8]

    /// - Parameter der: A request for one certificate, without a nonce.
    package init(_ der: [UInt8]) {
        // OCSPRequest, TBSRequest, requestList: three sequences, each of one.
        var node = try? DER.parse(der)
        for _ in 0..<3 {
            guard case .constructed(let nodes)? = node?.content else { break }
            node = Array(nodes).first
        }
        request = node.map { Array($0.encodedBytes) } ?? []
    }

    /// The request for that certificate so many times.
    package func with(count: Int) -> [UInt8] { Self.request(list: Array(repeating: request, count: count)) }

    /// The request in a version of its own; 0 is version 1.
    package func with(version: UInt8) -> [UInt8] {
        Self.request(before: Self.node(0xA0, Self.node(0x02, [version])), list: [request])
    }

    /// The request with a nonce (RFC 9654), and with a critical extension of this object identifier if there is one.
    package func with(nonce: [UInt8], criticalOID: [UInt8]? = nil) -> [UInt8] {
        let oid = Self.node(0x06, [0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02])
        var extensions = Self.node(0x30, oid + Self.node(0x04, Self.node(0x04, nonce)))
        if let criticalOID {
            extensions += Self.node(
                0x30,
                Self.node(0x06, criticalOID) + [0x01, 0x01, 0xFF] + Self.node(0x04, [0x05, 0x00])
            )
        }
        return Self.request(list: [request], after: Self.node(0xA2, Self.node(0x30, extensions)))
    }

    private static func request(before: [UInt8] = [], list: [[UInt8]], after: [UInt8] = []) -> [UInt8] {
        node(0x30, node(0x30, before + node(0x30, list.flatMap { $0 }) + after))
    }

    private static func node(_ identifier: UInt8, _ content: [UInt8]) -> [UInt8] {
        let length: [UInt8] =
            content.count < 0x80
            ? [UInt8(content.count)] : [0x82, UInt8(content.count >> 8), UInt8(truncatingIfNeeded: content.count)]
        // The shortest form alone is DER.
        let shortest = content.count >= 0x80 && content.count < 0x100 ? [0x81, UInt8(content.count)] : length
        return [identifier] + shortest + content
    }
}
