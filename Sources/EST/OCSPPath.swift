import Foundation

/// The request in the URL of an OCSP GET: `/ocsp/` and then base64 in URL encoding (RFC 6960 appendix A.1), as clients
/// and proxies really write it.
package enum OCSPPath {
    /// The most characters of it.
    package static let lengthMax = 4_096
    /// The most slashes beside which one is tried that a proxy took out.
    package static let slashesMax = 8
    private static let slash = UInt8(ascii: "/")
    private static let padding = UInt8(ascii: "=")

    /// What the request may be, DER: a proxy that makes `//` one slash leaves it open where that was. None if it is no
    /// base64.
    package static func candidates(_ path: Substring) -> [[UInt8]] {
        guard path.utf8.count <= lengthMax, let text = String(path).removingPercentEncoding else { return [] }
        // Clients that join URLs naively put a slash too many before it; DER of a request never begins with one. A space
        // was a plus sign once, for whoever takes a path for a form.
        let base64 = Array(text.utf8.drop { $0 == slash }).map { $0 == UInt8(ascii: " ") ? UInt8(ascii: "+") : $0 }
        let bare = base64.prefix { $0 != padding }
        let lacksOne = base64.count % 4 == 3
        let longer = bare.indices.filter { lacksOne && bare[$0] == slash }.prefix(slashesMax).map { index in
            bare[..<index] + [slash] + bare[index...]
        }
        return ([bare] + longer).compactMap { digits in
            let padded = Array(digits) + [UInt8](repeating: padding, count: (4 - digits.count % 4) % 4)
            return try? Base64Body.decode(padded).der
        }
    }
}
