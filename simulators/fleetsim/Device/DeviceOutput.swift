import Foundation
import SwiftASN1
import X509

/// The folder in which devices keep their certificates and keys, a file each.
struct DeviceOutput: Sendable {
    private let folder: String

    init(folder: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw SimulatorError.output("cannot make the folder \(folder): \(error.localizedDescription)")
        }
        self.folder = folder
    }

    /// Writes `<DeviceID>.pem`: certificate, issuers below the root, key; for its owner's eyes only.
    func keep(_ deviceID: String, certificate: [UInt8], chain: [[UInt8]], key: Certificate.PrivateKey) throws {
        var text = ""
        for der in [certificate] + chain {
            text += PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: der).pemString + "\n"
        }
        text += try key.serializeAsPEM().pemString + "\n"
        // DeviceIDs are of the simulator's making and hold no slash. The process's umask leaves 0600.
        let path = "\(folder)/\(deviceID).pem"
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch {
            throw SimulatorError.output("cannot write \(path): \(error.localizedDescription)")
        }
    }
}
