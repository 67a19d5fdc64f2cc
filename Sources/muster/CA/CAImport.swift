import Foundation
import OpenSSL
import PKI
import X509

/// A chain of CAs made elsewhere, looked over with its key: what `muster ca import` and `muster ca install` do.
struct CAImport {
    /// No file of four certificates is larger.
    private static let chainOctetsMax = 1 << 20

    let chainFile: String
    let key: CAKeySource
    /// The issuer's name in the configuration, and of its file.
    let name: String
    let folder: CAFolder
    /// True if a signer of trust stores is to be made, which the issuing CA certifies.
    let makesSigner: Bool

    /// Lints, writes NAME.pem and truststore.pem; gives what to tell the operator.
    func act(now: Date) throws(CARefusal) -> String {
        let chain: CACertificateChain
        let opened: PrivateKey
        // Chain and key are looked at apart, so that what is wrong with either is said at once.
        switch (result { () throws(CARefusal) in try readChain(now: now) }, result(key.open)) {
        case (.success(let sound), .success(let found)): (chain, opened) = (sound, found)
        case (.failure(let first), .success): throw first
        case (.success, .failure(let second)): throw second
        case (.failure(let first), .failure(let second)): throw CARefusal(first.problems + second.problems)
        }
        try checkMatch(chain, opened)

        var files = try certificates(chain)
        try folder.checkFree(files.map(\.name) + (makesSigner ? CATrustStoreSigner.names : []))
        if makesSigner { files += try signer(under: chain, key: opened, now: now) }
        try folder.write(files)
        return report(chain, files)
    }

    private var certificateName: String { name + ".pem" }

    private func readChain(now: Date) throws(CARefusal) -> CACertificateChain {
        let path = CAFolder.absolute(chainFile)
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            data = try handle.read(upToCount: Self.chainOctetsMax + 1) ?? Data()
        } catch {
            throw CARefusal("\(path) cannot be read; --chain takes a PEM file: issuing CA first, root last")
        }
        guard data.count <= Self.chainOctetsMax else {
            throw CARefusal("\(path) has more than \(Self.chainOctetsMax) octets; --chain takes certificates alone")
        }
        do throws(ChainDefect) {
            return try CACertificateChain(pem: String(decoding: data, as: UTF8.self), now: now)
        } catch {
            throw CARefusal("\(path): \(error)\(error.remedy.map { "; \($0)" } ?? "")")
        }
    }

    /// The key must be the issuing CA's; if it is another's in the chain, that is said.
    private func checkMatch(_ chain: CACertificateChain, _ opened: PrivateKey) throws(CARefusal) {
        let owner: Int?
        do {
            owner = try chain.der.firstIndex { try opened.matches(certificate: $0) }
        } catch {
            throw CARefusal("\(CAFolder.absolute(chainFile)): \(error)")
        }
        guard owner != 0 else { return }
        let other = owner.map { " (it is the key of \(chain.certificates[$0].subject))" } ?? ""
        throw CARefusal(
            "\(key.location): the private key does not belong to \(chain.issuing.subject), the first certificate of "
                + "\(CAFolder.absolute(chainFile))\(other); give that CA's own key with --key"
        )
    }

    private func certificates(_ chain: CACertificateChain) throws(CARefusal) -> [CAFolder.File] {
        do throws(TrustStoreDefect) {
            return [
                .open(certificateName, chain.pem),
                .open(CAFounding.trustStoreName, try TrustStore(chains: [chain]).pem),
            ]
        } catch {
            throw CARefusal("\(CAFolder.absolute(chainFile)): \(error)")
        }
    }

    private func signer(
        under chain: CACertificateChain,
        key issuerKey: PrivateKey,
        now: Date
    ) throws(CARefusal) -> [CAFolder.File] {
        let passphrase = try key.passphraseFile.map { file throws(CARefusal) in try CAPassphrase.read(file) }
        do {
            let signer = try CATrustStoreSigner(
                commonName: name + CATrustStoreSigner.nameSuffix,
                organization: Self.organization(of: chain.issuing) ?? name,
                algorithm: .ecdsaP256,
                issuer: chain.der[0],
                issuerKey: issuerKey,
                now: now
            )
            // With the CAs between it and the root, since devices may know the root alone.
            let certificates = [signer.der] + chain.der.dropLast()
            return [
                .secret(CATrustStoreSigner.keyName, try signer.key.pem(passphrase: passphrase)),
                .open(CATrustStoreSigner.certificateName, certificates.map(CAText.pem).joined()),
            ]
        } catch {
            throw CARefusal("the signer of trust stores could not be made with \(key.location): \(error)")
        }
    }

    private static func organization(of certificate: Certificate) -> String? {
        certificate.subject.lazy.flatMap { $0 }
            .first { $0.type == .RDNAttributeType.organizationName }
            .flatMap { String($0.value) }
    }

    private func report(_ chain: CACertificateChain, _ files: [CAFolder.File]) -> String {
        var lines = ["Made in \(folder.path): \(files.map(\.name).joined(separator: ", "))"]
        for (certificate, der) in zip(chain.certificates, chain.der) {
            lines.append("  \(certificate.subject), valid until \(CAText.day(certificate.notValidAfter))")
            lines.append("    SHA-256 \(CAText.fingerprint(der))")
        }
        lines += ["The key stays where it is: \(key.location)", "", "For the configuration:", ""]
        lines += CAConfigurationLines.issuer(
            name: name,
            certificateFile: folder.file(certificateName),
            key: key.location.description,
            passphraseFile: key.passphraseFile
        )
        if makesSigner {
            lines += CAConfigurationLines.trustStore(
                certificateFile: folder.file(CATrustStoreSigner.certificateName),
                key: folder.file(CATrustStoreSigner.keyName),
                passphraseFile: key.passphraseFile
            )
        } else {
            lines += [
                "",
                "The section trustStore wants a certificate for signing trust stores alone, with its key: digitalSignature,",
                "no CA, under this root. --make-signer has the issuing CA make one.",
            ]
        }
        if chain.certificates.count == 1 {
            lines += [
                "",
                "This chain is a root alone, so the root's key is to be online. Better keep it offline and let it sign an",
                "issuing CA: muster ca csr, muster ca install.",
            ]
        }
        return lines.joined(separator: "\n")
    }

    private func result<Value>(_ work: () throws(CARefusal) -> Value) -> Result<Value, CARefusal> {
        Result(catching: work)
    }
}

extension ChainDefect {
    /// What to do about it, where its description does not say so.
    fileprivate var remedy: String? {
        switch self {
        case .empty, .notPEM, .outOfOrder, .keyMismatch: nil
        case .tooMany: "take an issuing CA that is nearer to its root"
        case .unreadable: "use X.509 with an RSA, ECDSA (P-256, P-384, P-521) or Ed25519 key and SHA-256 or better"
        case .signature: "that is another CA of the same name: give the one that signed it"
        case .incomplete: "add it at the end of the file"
        case .repeated: "keep it once; each CA has its own name and key"
        case .notAuthority:
            "have it issued with basicConstraints=critical,CA:TRUE (pathlen, if any, not below the CAs under it), "
                + "keyUsage=critical,keyCertSign,cRLSign and subjectKeyIdentifier=hash"
        case .weakSignature: "have it signed again"
        case .key: "make that CA with a sound key"
        case .notYetValid: "wait, or look at this machine's clock"
        case .expired: "have it renewed, or look at this machine's clock"
        }
    }
}
