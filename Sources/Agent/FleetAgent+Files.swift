import Crypto
import Foundation
import OpenSSL
import PKI
import SwiftASN1

/// The files that terminators read. They follow from what was verified, and from nothing else.
extension FleetAgent {
    static let trustStoreFile = "truststore.pem"
    static let listFile = "crl.pem"
    /// RFC 7468 section 6.
    private static let listLabel = "X509 CRL"
    private static let certificateLabel = "CERTIFICATE"

    /// All CA certificates of the trust store, issuing CAs first.
    private var trustStorePEM: [UInt8]? { state.trustStore.map { Array($0.content.anchors.map(\.pem).joined().utf8) } }

    /// The lists of all CAs that have one, in the trust store's order; nil if none has: no file is better than an empty
    /// one, which some programs take for a list without entries.
    private var listPEM: [UInt8]? {
        let pem = (state.trustStore?.authorities ?? []).compactMap { authority in
            lists[authority.sha256].map { PEMDocument(type: Self.listLabel, derBytes: $0.der).pemString + "\n" }
        }
        return pem.isEmpty ? nil : Array(pem.joined().utf8)
    }

    /// False if somebody took one away.
    var filesAreThere: Bool {
        guard written != nil else { return true }
        return [Self.listFile, Self.trustStoreFile].allSatisfy {
            FileManager.default.fileExists(atPath: folder.path + "/" + $0)
        }
    }

    /// Brings the files to what was verified, and keeps for the next start what must not be forgotten.
    /// - Returns: True if a file changed.
    func write() throws -> Bool {
        guard let store = state.trustStore, let trustStorePEM else { return false }
        var changed = false
        for (sha256, list) in lists { try kept.replace(sha256 + ".crl", with: list.der, mode: 0o600) }
        // Lists before the CAs that they are of: nobody is to be taken without his list.
        let listPEM = listPEM
        if let listPEM, try folder.replace(Self.listFile, with: listPEM) { changed = true }
        if try folder.replace(Self.trustStoreFile, with: trustStorePEM) { changed = true }
        if try writeFolder(store) { changed = true }
        for (sha256, list) in lists { state.numbers[sha256] = max(state.numbers[sha256] ?? 0, list.number) }
        try state.save(in: kept)
        written = listPEM.map { Hex.text(SHA256.hash(data: trustStorePEM + $0)) }
        return changed
    }

    /// A file for each CA, by the hash of its subject. New ones come before old ones go.
    private func writeFolder(_ store: VerifiedTrustStore) throws -> Bool {
        let authorities = store.authorities
        let names = try CertificateFolder.names(authorities.map(\.der))
        var changed = false
        for (name, authority) in zip(names, authorities) {
            let pem = PEMDocument(type: Self.certificateLabel, derBytes: authority.der).pemString + "\n"
            if try capath.replace(name, with: Array(pem.utf8)) { changed = true }
        }
        for name in capath.names where !names.contains(name) {
            try capath.remove(name)
            changed = true
        }
        return changed
    }
}
