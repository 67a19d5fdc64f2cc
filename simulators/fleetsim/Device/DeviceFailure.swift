/// Why a device does not go on in a scenario, in words that are counted.
struct DeviceFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
