import Crypto
import Foundation
import PKI

/// What a device does with a trust store before it installs it: the message is verified up to the root that the device
/// was made with, and the device must not lock itself out with it.
struct TrustStoreCheck: Sendable {
    /// DER.
    let root: [UInt8]
    let fleet: FleetName

    /// - Parameters:
    ///   - message: CMS SignedData as it came from the broker.
    ///   - chain: The CAs above the device's certificate, without the root (DER).
    /// - Returns: The version that the device may install.
    func check(_ message: [UInt8], chain: [[UInt8]], now: Date) throws(CheckFailure) -> Int64 {
        let content: TrustStoreContent
        do {
            content = try TrustStoreMessage.verify(
                message,
                anchors: [root],
                fleet: fleet,
                installedVersion: 0,
                now: now
            )
        } catch {
            throw CheckFailure("trust store: \(ServerReason.shortened("\(error)"))")
        }
        let trusted = Set(content.anchors.map(\.sha256))
        for authority in chain + [root] where !trusted.contains(Hex.text(SHA256.hash(data: authority))) {
            throw CheckFailure("the trust store lacks a CA of the device's own chain")
        }
        return content.version
    }
}
