/// What one connection of a device goes through that others do not.
struct ConnectionConditions: Sendable {
    /// When it is cut; nil if it is not.
    var cut: CutMoment?
    /// Nil for a link as fast as the machine.
    var link: SlowLink?
    /// The clock that certificates are held against; nil for the machine's.
    var clock: DeviceClock?
}

/// When a connection is cut. Octets are counted on the wire, so that those of the TLS handshake are among them.
enum CutMoment: Hashable, Sendable {
    /// When exactly so many have been sent.
    case sent(octets: Int)
    /// When exactly so many have been read.
    case received(octets: Int)
    /// So long after the last octet of the request; nothing is read meanwhile.
    case requestSent(thenMilliseconds: Int)
    /// Not by the link: the answer is there, and the device ends before it has kept it.
    case answerHeard

    /// As the printed plan has it.
    var text: String {
        switch self {
        case .sent(let octets): "when \(octets) octets are sent"
        case .received(let octets): "when \(octets) octets are received"
        case .requestSent(let delay): "\(delay) ms after the request"
        case .answerHeard: "before the answer is kept"
        }
    }
}

/// A link on which octets trickle, in both directions.
struct SlowLink: Hashable, Sendable {
    let octetsPerSecond: Int
    let latencyMilliseconds: Int

    var text: String { "\(octetsPerSecond) octets/s, \(latencyMilliseconds) ms" }
}
