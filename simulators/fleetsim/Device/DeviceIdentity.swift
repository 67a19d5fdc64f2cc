import ArgumentParser
import Crypto
import Foundation
import NIOSSL
import PKI

/// How the devices of a run prove who they are at first boot.
enum IdentityKind: String, CaseIterable, Codable, ExpressibleByArgument, Sendable {
    /// Each has an IDevID of its own, signed by the manufacturer's CA.
    case idevid
    /// They share claim certificates, and name themselves in the CSR.
    case claim
}

/// A certificate file and its key file (PEM), read.
struct CredentialFiles: Sendable {
    /// What errors call them.
    let name: String
    let certificate: String
    let key: String

    /// The files of two options, or those of dev.json if there are none.
    init(_ option: String, certificate: String?, key: String?, dev: (certificate: String?, key: String?)) throws {
        if let certificate, let key {
            name = "--\(option)-cert"
            self.certificate = try Self.read(certificate, "--\(option)-cert")
            self.key = try Self.read(key, "--\(option)-key")
        } else {
            name = "files.\(option)Cert"
            self.certificate = try DevFile.text(of: dev.certificate, named: "\(option)Cert")
            self.key = try DevFile.text(of: dev.key, named: "\(option)Key")
        }
    }

    private static func read(_ path: String, _ option: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path), data.count <= DevFile.octetsMax,
            let text = String(data: data, encoding: .utf8)
        else { throw SimulatorError.credential("cannot read \(path), which \(option) names") }
        return text
    }
}

/// A claim certificate, which the devices of a batch share.
struct Claim: Sendable {
    let chain: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey
    /// Of the certificate (DER), hexadecimal: the name of the credential in the record.
    let sha256: String

    init(_ files: CredentialFiles) throws {
        do {
            chain = try NIOSSLCertificate.fromPEMBytes(Array(files.certificate.utf8))
            key = try NIOSSLPrivateKey(bytes: Array(files.key.utf8), format: .pem)
        } catch {
            throw SimulatorError.credential("\(files.name) is not a certificate and a key in PEM: \(error)")
        }
        sha256 = try Hex.text(SHA256.hash(data: chain.first?.toDERBytes() ?? []))
    }

    init(_ credential: BootstrapAuthority.Credential) throws {
        chain = [try NIOSSLCertificate(bytes: credential.certificate, format: .der)]
        key = try NIOSSLPrivateKey(bytes: Array(credential.key.derRepresentation), format: .der)
        sha256 = Hex.text(SHA256.hash(data: credential.certificate))
    }

    /// Which of `count` claims device `number` has, counted from 0. Devices take turns, so that all batches are at work
    /// at once, and none is larger than another by more than one device.
    static func index(of number: Int, of count: Int) -> Int { (number - 1) % max(count, 1) }
}

/// What one device presents at first boot.
enum DeviceCredential: Sendable {
    /// A claim that it shares with its batch, by its place among the claims of the run.
    case claim(Int)
    /// An IDevID of its own and the key of it (DER).
    case idevid(certificate: [UInt8], key: [UInt8])
}

/// Where the devices of a run get their bootstrap credentials.
enum IdentitySource: Sendable {
    /// A manufacturer makes each IDevID when the device's turn comes.
    case manufacturer(BootstrapAuthority)
    /// IDevIDs were made before, and lie in a folder.
    case folder(IdentityFolder)
    case claims([Claim])

    /// - Parameter folder: Where the devices' identities are kept, if they are.
    init(_ kind: IdentityKind, files: DevFile.Files, options: CredentialOptions, folder: IdentityFolder?) throws {
        switch (kind, folder) {
        case (.idevid, let folder?): self = .folder(folder)
        case (.idevid, nil): self = try .manufacturer(Self.manufacturer(files, options))
        case (.claim, _):
            if let count = options.claims {
                let authority = try BootstrapAuthority(
                    CredentialFiles(
                        "claim-ca",
                        certificate: options.claimAuthorityCert,
                        key: options.claimAuthorityKey,
                        dev: (nil, nil)
                    )
                )
                self = try .claims((1...count).map { try Claim(authority.makeClaim($0)) })
            } else {
                let dev = (files.claimCert, files.claimKey)
                let shared = try CredentialFiles(
                    "claim",
                    certificate: options.claimCert,
                    key: options.claimKey,
                    dev: dev
                )
                self = try .claims([Claim(shared)])
            }
        }
    }

    /// The CA that signs IDevIDs.
    static func manufacturer(_ files: DevFile.Files?, _ options: CredentialOptions) throws -> BootstrapAuthority {
        try BootstrapAuthority(
            CredentialFiles(
                "manufacturer",
                certificate: options.manufacturerCert,
                key: options.manufacturerKey,
                dev: (files?.manufacturerCert, files?.manufacturerKey)
            )
        )
    }

    /// The claims that devices share; none with IDevIDs.
    var claims: [Claim] {
        switch self {
        case .manufacturer, .folder: []
        case .claims(let claims): claims
        }
    }

    /// The credential of device `number`, counted from 1.
    func credential(_ number: Int, _ deviceID: String) throws -> DeviceCredential {
        switch self {
        case .manufacturer(let manufacturer):
            let (certificate, key) = try manufacturer.makeIDevID(deviceID)
            return .idevid(certificate: certificate, key: Array(key.derRepresentation))
        case .folder(let folder):
            let (certificate, key) = try folder.idevid(deviceID)
            return .idevid(certificate: certificate, key: key)
        case .claims(let claims): return .claim(Claim.index(of: number, of: claims.count))
        }
    }
}
