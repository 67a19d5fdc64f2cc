import Crypto
import Foundation
import SwiftASN1
import X509

/// The folder in which the identities of devices are kept between commands, so that an operator can pin what devices
/// will present, and a device that waits for approval comes back with the same key: `<DeviceID>.key.pem`, its
/// operational key, and with IDevIDs `<DeviceID>.idevid.pem`, certificate and key. `fleet.json` says which devices.
struct IdentityFolder: Sendable {
    /// The most octets of one of its files.
    static let octetsMax = 64 * 1024
    private static let planFile = "fleet.json"

    let path: String

    /// Makes the folder, for its owner's eyes only, or takes one that is there.
    init(making path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw SimulatorError.identities("cannot make the folder \(path): \(error.localizedDescription)")
        }
        self.path = path
    }

    /// A folder that was filled before.
    init(path: String) { self.path = path }

    /// The devices whose identities are in it; nil if it was not filled to the end.
    func plan() throws -> FleetPlan? {
        guard FileManager.default.fileExists(atPath: file(Self.planFile)) else { return nil }
        do {
            return try JSONDecoder().decode(FleetPlan.self, from: read(Self.planFile))
        } catch let error as DecodingError {
            throw SimulatorError.identities("\(file(Self.planFile)) is damaged: \(error); make the folder anew")
        }
    }

    /// The same, for a command that has no use for an empty folder.
    func filledPlan() throws -> FleetPlan {
        guard let plan = try plan() else {
            throw SimulatorError.identities(
                "\(path) holds no fleet; fill it with `muster-sim registrations --identities \(path) --devices N`"
            )
        }
        return plan
    }

    /// Says, when all its identities are written, which they are.
    func keep(_ plan: FleetPlan) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try write(Self.planFile, encoder.encode(plan))
    }

    func keep(_ deviceID: String, key: Certificate.PrivateKey) throws {
        try write("\(deviceID).key.pem", Data((key.serializeAsPEM().pemString + "\n").utf8))
    }

    func keep(_ deviceID: String, idevid: BootstrapAuthority.Credential) throws {
        let certificate = PEMDocument(
            type: Certificate.defaultPEMDiscriminator,
            derBytes: idevid.certificate
        )
        try write(
            "\(deviceID).idevid.pem",
            Data("\(certificate.pemString)\n\(idevid.key.pemRepresentation)\n".utf8)
        )
    }

    /// A device's operational key.
    func key(_ deviceID: String) throws -> Certificate.PrivateKey {
        let name = "\(deviceID).key.pem"
        let text = try String(decoding: read(name), as: UTF8.self)
        guard let key = try? Certificate.PrivateKey(pemEncoded: text) else { throw damaged(name) }
        return key
    }

    /// A device's IDevID and its key (DER).
    func idevid(_ deviceID: String) throws -> (certificate: [UInt8], key: [UInt8]) {
        let name = "\(deviceID).idevid.pem"
        let documents = try? PEMDocument.parseMultiple(pemString: String(decoding: read(name), as: UTF8.self))
        guard let documents, documents.count == 2,
            documents[0].discriminator == Certificate.defaultPEMDiscriminator
        else { throw damaged(name) }
        return (documents[0].derBytes, documents[1].derBytes)
    }

    // DeviceIDs are of the simulator's making and hold no slash.
    private func file(_ name: String) -> String { "\(path)/\(name)" }

    private func read(_ name: String) throws -> Data {
        guard let data = FileManager.default.contents(atPath: file(name)), data.count <= Self.octetsMax else {
            throw SimulatorError.identities("cannot read \(file(name)); make the folder of --identities anew")
        }
        return data
    }

    private func write(_ name: String, _ data: Data) throws {
        // The process's umask leaves 0600.
        do { try data.write(to: URL(fileURLWithPath: file(name))) } catch {
            throw SimulatorError.output("cannot write \(file(name)): \(error.localizedDescription)")
        }
    }

    private func damaged(_ name: String) -> SimulatorError {
        .identities("\(file(name)) is damaged; make the folder of --identities anew")
    }
}
