/// How an issuer's certificates are spread over CRLs, so that none grows large and a revocation signs one of them anew.
///
/// A certificate's shard follows from its serial number and from how many shards there were at its issue. It stands in
/// its distribution point and in the record, and never changes.
package enum CRLShards {
    /// Shards of an issuer, if nothing else is configured: with a million revoked, each has about a thousand.
    package static let standard = 1024
    /// How many an issuer may have.
    package static let allowed = 1...1024
    /// The number of the list of all of an issuer's certificates, which is no shard: shards are counted from 1. A
    /// certificate whose distribution point names no shard is in no other list.
    package static let complete = 0
    /// Stands for the shard's number in a profile's URLs.
    static let placeholder = "{shard}"

    /// The shard of a serial number among `count`: from its last octets, which are random.
    static func shard(of serialNumber: some BidirectionalCollection<UInt8>, among count: Int) -> Int {
        let value = serialNumber.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return 1 + Int(value % UInt32(clamping: max(1, count)))
    }

    /// True if such a URL differs from shard to shard.
    package static func isSharded(_ url: String) -> Bool { url.contains(placeholder) }

    /// The URL of one shard.
    package static func url(_ template: String, issuer: String, shard: Int) -> String {
        template.replacing("{issuer}", with: issuer).replacing(placeholder, with: "\(shard)")
    }
}
