package import Foundation

/// What a device, or an agent, tells when a trust store is in force: JSON, on
/// `muster/v1/devices/<DeviceID>@<fleet>/truststore/ack`.
package struct TrustStoreAcknowledgement: Encodable, Hashable, Sendable {
    private let type = "muster.truststore.ack.v1"
    private let fleet: String
    private let device: String
    private let version: Int64
    private let sha256: String
    private let at: String

    /// - Parameter sha256: Of the CMS message, lower-case hexadecimal.
    package init(fleet: FleetName, deviceID: String, version: Int64, sha256: String, at: Date) {
        self.fleet = fleet.text
        device = deviceID
        self.version = version
        self.sha256 = sha256
        self.at = at.formatted(.iso8601)
    }

    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try [UInt8](encoder.encode(self))
    }
}
