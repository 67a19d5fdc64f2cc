import EST
import Foundation
import FuzzKit

/// What must hold for paths and fields of requests to the public front.
enum PublicFrontProperties {
    private static let slash = UInt8(ascii: "/")
    private static let tag = "\"0123456789abcdef\""

    /// Whatever a path is, it is few requests, none longer than the path.
    static func checkOCSPPath(_ path: String) {
        let candidates = OCSPPath.candidates(path[...])
        Property.check(candidates.count <= 1 + OCSPPath.slashesMax, "a path is \(candidates.count) requests")
        Property.check(
            candidates.isEmpty || path.utf8.count <= OCSPPath.lengthMax,
            "a path of \(path.utf8.count) characters is read"
        )
        for candidate in candidates {
            Property.check(candidate.count <= path.utf8.count, "a request is longer than its path")
        }
        Property.check(OCSPPath.candidates(path[...]) == candidates, "a path is read otherwise the second time")
    }

    /// A request is found however its base64 stands in the path: escaped or not, with padding or without, and with a pair
    /// of slashes that a proxy made one.
    static func checkOCSPRequest(_ content: [UInt8]) {
        // Requests are DER, which begins with this.
        let request = [FuzzDER.sequence] + content.prefix(1_000)
        let plain = Data(request).base64EncodedString()
        let bare = String(plain.prefix { $0 != "=" })
        let escaped = plain.replacing("+", with: "%2B").replacing("/", with: "%2f").replacing("=", with: "%3D")
        for path in [plain, bare, escaped, "/" + plain] {
            Property.check(OCSPPath.candidates(path[...]).first == request, "\(path) is another request")
        }
        let pairs = plain.ranges(of: "//").count
        guard pairs == 1, !plain.contains("///"),
            plain.utf8.count(where: { $0 == slash }) <= OCSPPath.slashesMax
        else { return }
        let collapsed = plain.replacing("//", with: "/")
        Property.check(
            OCSPPath.candidates(collapsed[...]).contains(request),
            "\(collapsed) is not the request that a proxy took a slash from"
        )
    }

    /// A name of a CRL is written in one way.
    static func checkCRLPath(_ path: String) {
        let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let file = parts.last else { return }
        let issuer = parts.count > 1 ? parts[0] : nil
        guard let name = CRLPath(file, issuer: issuer) else { return }
        let end = (name.isDelta ? ".delta" : "") + (name.isPEM ? ".pem" : ".crl")
        let written = name.shard.map { "\(name.issuer)/\($0)" } ?? name.issuer
        Property.check(Array((written + end).utf8) == Array(path.utf8), "\(written)\(end) is also another path")
        Property.check((name.shard ?? 1) > 0, "a CRL is of the shard \(name.shard ?? 0)")
        Property.check((name.shard == nil) == (issuer == nil), "a path with an issuer is of no shard")
    }

    /// Only who names the document is told that it is what it was.
    static func checkCondition(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let date = lines.removeFirst()
        let isKnown = ConditionalGet.isKnown(tag, modified: 86_400, ifNoneMatch: lines, ifModifiedSince: date)
        if lines.isEmpty {
            Property.check(isKnown == (date == HTTPDate.format(86_400)), "a date is taken for another")
        } else if isKnown {
            Property.check(
                lines.contains { $0.contains(tag) || $0.contains("*") },
                "a document is taken for another that nobody named"
            )
        }
        let withTag = lines + ["\"other\" , \(tag)"]
        Property.check(
            ConditionalGet.isKnown(tag, modified: nil, ifNoneMatch: withTag, ifModifiedSince: date),
            "a tag is not found behind others"
        )
    }
}
