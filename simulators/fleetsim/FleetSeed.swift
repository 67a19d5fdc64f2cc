/// What makes a fleet the same fleet again: its devices' names, and their order, follow from one number.
struct FleetSeed: Hashable, Sendable {
    /// The most devices of one run, so that names stay within six digits.
    static let devicesMax = 999_999

    let value: UInt64

    /// The DeviceID of device `number`, counted from 1; at most 31 octets.
    func deviceID(_ number: Int) -> String {
        let digits = String(number)
        return "sim-\(value)-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }
}
