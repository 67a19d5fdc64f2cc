import Foundation
import Glibc
import OpenSSL
import PKI
import SwiftASN1
import X509

/// The PKI of `muster dev`: made on the first start and read on every later one.
struct DevPKI {
    /// The folder of its files.
    let directory: String

    /// The operator that every dev server knows, an admin.
    static let operatorName = "dev"
    private static let organization = "Muster Development"

    /// What stands in the folder, by role: a certificate (with the chain above it where clients need it) and its key.
    enum Item: String, CaseIterable {
        case root, issuing, signer = "truststore-signer", est, broker, server = "muster-server"
        case operatorCA = "operator-ca", `operator` = "operator-dev"
        case manufacturer, claimCA = "claim-ca", claim
    }

    func certificate(_ item: Item) -> String { "\(directory)/\(item.rawValue).pem" }
    func key(_ item: Item) -> String { "\(directory)/\(item.rawValue).key" }

    /// Makes all that is missing. Keys are written before certificates, so that a start that was cut short is completed
    /// by the next one.
    func make(now: Date) throws {
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let root = try authority(.root, name: "Muster Dev Root", role: .root, now: now)
        try issued(.issuing, "Muster Dev Issuing CA", .issuing, by: root, appendsIssuer: true, now: now)
        try issued(.signer, "Muster Dev Trust Store Signer", .trustStoreSigner, by: root, now: now)
        let local = CertificateAuthority.Role.tlsServer(
            dnsNames: ["localhost"],
            addresses: [[127, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]]
        )
        try issued(.est, "localhost", local, by: root, now: now)
        try issued(.broker, "localhost", local, by: root, now: now)
        // The name that the broker's access rules know; no device can have it, since theirs hold an @.
        try issued(.server, "muster-server", .tlsClient, by: root, now: now)
        // No device's CA vouches for operators.
        let operatorCA = try authority(.operatorCA, name: "Muster Dev Operator CA", role: .bootstrapAnchor, now: now)
        try issued(.operator, Self.operatorName, .tlsClient, by: operatorCA, now: now)
        _ = try authority(.manufacturer, name: "Muster Dev Manufacturer", role: .bootstrapAnchor, now: now)
        let claimCA = try authority(.claimCA, name: "Muster Dev Claim CA", role: .bootstrapAnchor, now: now)
        try issued(.claim, "claim batch 1", .tlsClient, by: claimCA, now: now)
    }

    /// A CRL without entries, PEM, which is older than any that the server signs.
    func emptyList(of item: Item, lifetime: TimeInterval, now: Date) throws -> [UInt8] {
        guard let certificate = try existing(item) else { throw DevProblem.cannotRead(certificate(item)) }
        let list = RevocationList(
            number: 1,
            thisUpdate: now.addingTimeInterval(-Self.listAge),
            nextUpdate: now.addingTimeInterval(lifetime),
            places: [],
            entries: []
        )
        let der = try list.signed(issuer: certificate, key: key(for: item))
        return Array((PEMDocument(type: "X509 CRL", derBytes: der).pemString + "\n").utf8)
    }

    /// Of two lists OpenSSL takes the one that was signed later, to the second.
    private static let listAge: TimeInterval = 60

    private struct Authority {
        let certificate: [UInt8]
        let key: PrivateKey
    }

    private func authority(
        _ item: Item,
        name: String,
        role: CertificateAuthority.Role,
        now: Date
    ) throws -> Authority {
        let key = try key(for: item)
        if let der = try existing(item) { return Authority(certificate: der, key: key) }
        let der = try CertificateAuthority.selfSigned(
            commonName: name,
            organization: Self.organization,
            role: role,
            key: key,
            now: now
        )
        try write(pem([der]), to: certificate(item), mode: 0o644)
        return Authority(certificate: der, key: key)
    }

    private func issued(
        _ item: Item,
        _ name: String,
        _ role: CertificateAuthority.Role,
        by issuer: Authority,
        appendsIssuer: Bool = false,
        now: Date
    ) throws {
        let key = try key(for: item)
        guard try existing(item) == nil else { return }
        let der = try CertificateAuthority.signed(
            commonName: name,
            organization: Self.organization,
            role: role,
            publicKey: CertificateAuthority.publicKey(of: key),
            issuer: issuer.certificate,
            issuerKey: issuer.key,
            now: now
        )
        try write(pem(appendsIssuer ? [der, issuer.certificate] : [der]), to: certificate(item), mode: 0o644)
    }

    private func key(for item: Item) throws -> PrivateKey {
        let path = key(item)
        if FileManager.default.fileExists(atPath: path) {
            return try PrivateKeyLocation(path).open(passphrase: nil)
        }
        let key = try PrivateKey.generate(.ecdsaP256)
        try write(key.pem(passphrase: nil), to: path, mode: 0o600)
        return key
    }

    private func existing(_ item: Item) throws -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: certificate(item)) else { return nil }
        let documents = try PEMDocument.parseMultiple(pemString: String(decoding: data, as: UTF8.self))
        return documents.first.map { [UInt8]($0.derBytes) }
    }

    private func pem(_ certificates: [[UInt8]]) -> [UInt8] {
        Array(certificates.map { PEMDocument(type: "CERTIFICATE", derBytes: $0).pemString + "\n" }.joined().utf8)
    }

    private func write(_ bytes: [UInt8], to path: String, mode: Int) throws {
        try PrivateFile.write(bytes, to: path, mode: mode)
    }
}

/// Writes a file whole or not at all, never readable by more than its mode says, not even for a moment.
enum PrivateFile {
    static func write(_ bytes: [UInt8], to path: String, mode: Int) throws {
        let draft = path + ".tmp"
        try? FileManager.default.removeItem(atPath: draft)
        guard
            FileManager.default.createFile(
                atPath: draft,
                contents: nil,
                attributes: [.posixPermissions: 0o600]
            ), let file = FileHandle(forWritingAtPath: draft)
        else { throw DevProblem.cannotWrite(path) }
        try file.write(contentsOf: bytes)
        try file.synchronize()
        try file.close()
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: draft)
        guard unsafe rename(draft, path) == 0 else { throw DevProblem.cannotWrite(path) }
    }
}
