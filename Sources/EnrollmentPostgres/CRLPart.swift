import PKI

/// Which of an issuer's lists. The two parts are signed and loaded apart: the list of all grows with the number revoked and
/// may take seconds, which no shard is to wait for.
enum CRLPart: CaseIterable, Sendable {
    /// Those that certificates name.
    case shards
    /// The list of all of an issuer's certificates.
    case complete

    /// SQL: true of the part's rows, in a table that says the shard.
    var condition: String { "shard \(self == .complete ? "=" : "<>") \(CRLShards.complete)" }

    /// Of the advisory locks whose second key is the issuer's: who has one signs this part of the issuer's lists.
    var lockClass: Int32 {
        switch self {
        case .shards: 0x4352_4C
        case .complete: 0x4352_4D
        }
    }

    var name: String {
        switch self {
        case .shards: "shards"
        case .complete: "the list of all"
        }
    }
}
