import PKI

/// What makes a fleet the same fleet again: its devices' names, and their order, follow from one number and a prefix.
struct FleetSeed: Hashable, Sendable {
    /// The most devices of one run, so that the longest seed leaves room for a prefix.
    static let devicesMax = 9_999_999
    static let prefixDefault = "sim"
    /// The most octets of a prefix: what seed, number and two dashes leave of the longest DeviceID.
    static let prefixLengthMax = DeviceID.lengthMax - 20 - 7 - 2
    /// Numbers have so many digits at least, so that names of usual fleets sort as they are played.
    private static let digitsMin = 6

    let value: UInt64
    let prefix: String

    /// Nil if no DeviceID can begin with `prefix`.
    init?(value: UInt64, prefix: String = Self.prefixDefault) {
        guard prefix.utf8.count <= Self.prefixLengthMax, DeviceID(prefix) != nil else { return nil }
        self.value = value
        self.prefix = prefix
    }

    /// The DeviceID of device `number`, counted from 1: `<prefix>-<seed>-<number>`.
    func deviceID(_ number: Int) -> String {
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(0, Self.digitsMin - digits.count))
        return "\(prefix)-\(value)-\(zeros)\(digits)"
    }
}
