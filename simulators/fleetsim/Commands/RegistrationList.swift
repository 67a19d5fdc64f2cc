import Crypto
import Foundation
import PKI
import SwiftASN1
import X509

/// The devices of a fleet as CSV, one line a device, written as they are made: a large fleet takes no more memory than a
/// small one.
struct RegistrationList: Sendable {
    /// The first line.
    static let header = "device,key_sha256,idevid_sha256"
    /// Octets that are gathered before they are written.
    private static let bufferOctets = 256 * 1024

    /// Where keys and IDevIDs come from.
    enum Source: Sendable {
        /// From nowhere; names are all.
        case names
        /// From a folder that was filled before.
        case kept(IdentityFolder)
        /// They are made now, and kept in the folder; with no manufacturer, devices have no IDevID.
        case made(IdentityFolder, BootstrapAuthority?, DeviceKeyKind)
    }

    let names: FleetSeed
    let devices: Int
    let pin: RegistrationPin
    let source: Source

    /// Writes header and lines to the file of that path, or to standard output. A file appears when it is whole.
    func write(to path: String?) throws {
        guard let path else { return try write(FileHandle.standardOutput) }
        let unfinished = path + ".part"
        let failure = { SimulatorError.output("cannot write \(path)") }
        guard FileManager.default.createFile(atPath: unfinished, contents: nil),
            let handle = FileHandle(forWritingAtPath: unfinished)
        else { throw failure() }
        do {
            try write(handle)
            try handle.close()
        } catch {
            try? FileManager.default.removeItem(atPath: unfinished)
            throw error
        }
        guard unsafe rename(unfinished, path) == 0 else { throw failure() }
    }

    private func write(_ handle: FileHandle) throws {
        var buffer = Data(capacity: Self.bufferOctets * 2)
        buffer.append(contentsOf: "\(Self.header)\n".utf8)
        for number in 1...devices {
            buffer.append(contentsOf: try line(number).utf8)
            guard buffer.count >= Self.bufferOctets || number == devices else { continue }
            do { try handle.write(contentsOf: buffer) } catch {
                throw SimulatorError.output("cannot write the list: \(error.localizedDescription)")
            }
            buffer.removeAll(keepingCapacity: true)
        }
    }

    /// The line of device `number`, counted from 1.
    func line(_ number: Int) throws -> String {
        let deviceID = names.deviceID(number)
        let key: Certificate.PrivateKey?
        var idevid: [UInt8]?
        switch source {
        case .names: key = nil
        case .kept(let folder):
            key = pin == .key ? try folder.key(deviceID) : nil
            idevid = pin == .idevid ? try folder.idevid(deviceID).certificate : nil
        case .made(let folder, let manufacturer, let kind):
            let made = try kind.generate()
            try folder.keep(deviceID, key: made)
            if let credential = try manufacturer?.makeIDevID(deviceID) {
                try folder.keep(deviceID, idevid: credential)
                idevid = credential.certificate
            }
            key = made
        }
        // The key as the CSR will hold it: SubjectPublicKeyInfo (RFC 5280 section 4.1).
        let keyPin = pin == .key ? try key?.publicKey.serializeAsPEM().derBytes : nil
        let idevidPin = pin == .idevid ? idevid : nil
        return "\(deviceID),\(Self.hash(keyPin)),\(Self.hash(idevidPin))\n"
    }

    private static func hash(_ octets: [UInt8]?) -> String {
        octets.map { Hex.text(SHA256.hash(data: $0)) } ?? ""
    }
}
