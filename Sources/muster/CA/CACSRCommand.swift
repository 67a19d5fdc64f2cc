import ArgumentParser
import Foundation
import OpenSSL
import PKI
import SwiftASN1

/// `muster ca csr`: the issuing CA's key is made here, or is here already, and its certificate elsewhere.
struct CACSRCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "csr",
        abstract: "Ask another CA (an offline root, a provider) to certify an issuing CA.",
        discussion: "Writes issuing.csr, and issuing.key unless the key exists. Then: muster ca install."
    )

    @Option(help: "The issuing CA's common name.")
    var name: String

    @Option(help: "Its organization.")
    var organization: String

    @Option(help: "The folder to write to; made if it is missing.", completion: .directory)
    var out: String

    @Option(help: "The kind of the key to make: p256, p384, rsa3072 or rsa4096. (default: p256)")
    var key: CAKeyChoice?

    @Option(help: "A key that exists: a PEM file (mode 0600) or a pkcs11: URI.", completion: .file())
    var existingKey: String?

    @Option(
        help: "A file (mode 0600) whose first line is to encrypt the new key, or opens the existing one.",
        completion: .file()
    )
    var passphraseFile: String?

    static let requestName = "issuing.csr"

    func validate() throws {
        try CAName.checkAttribute(name, option: "--name")
        try CAName.checkAttribute(organization, option: "--organization")
        guard key == nil || existingKey == nil else {
            throw ValidationError("--key makes a key and --existing-key takes one; give one of them")
        }
    }

    func run() throws {
        try CACommand.report { () throws(CARefusal) in try act() }
    }

    /// Does it; gives what to tell the operator.
    func act() throws(CARefusal) -> String {
        let folder = CAFolder(out)
        let makesKey = existingKey == nil
        try folder.checkFree([Self.requestName] + (makesKey ? [CAFounding.issuingKeyName] : []))
        let source = CAKeySource(existingKey ?? folder.file(CAFounding.issuingKeyName), passphraseFile: passphraseFile)
        let opened = makesKey ? nil : try source.open()
        let passphrase = makesKey ? try newPassphrase() : nil
        var files: [CAFolder.File] = []
        do {
            let key = try opened ?? PrivateKey.generate((self.key ?? .p256).algorithm)
            if makesKey { files.append(.secret(CAFounding.issuingKeyName, try key.pem(passphrase: passphrase))) }
            let request = try CertificateAuthority.request(commonName: name, organization: organization, key: key)
            let document = PEMDocument(type: "CERTIFICATE REQUEST", derBytes: request)
            files.append(.open(Self.requestName, document.pemString + "\n"))
        } catch {
            throw CARefusal("the request could not be made: \(error)")
        }
        try folder.write(files)
        return report(folder, source, files)
    }

    private func newPassphrase() throws(CARefusal) -> [UInt8]? {
        guard let passphraseFile else { return nil }
        return try CAPassphrase.read(passphraseFile)
    }

    private func report(_ folder: CAFolder, _ source: CAKeySource, _ files: [CAFolder.File]) -> String {
        let passphrase = source.passphraseFile.map { " --passphrase-file '\($0)'" } ?? ""
        return """
            Made in \(folder.path): \(files.map(\.name).joined(separator: ", "))

            Have \(folder.file(Self.requestName)) signed as a CA with basicConstraints=critical,CA:TRUE,pathlen:0,
            keyUsage=critical,keyCertSign,cRLSign, subjectKeyIdentifier and authorityKeyIdentifier, with SHA-256 or better.
            AWS Private CA does so by the template arn:aws:acm-pca:::template/SubordinateCACertificate_PathLen0/V1.

            Then put what comes back and the CAs above it in one file, the root last:

              cat issuing-signed.pem root.pem > chain.pem
              muster ca install --chain chain.pem --key '\(source.location)'\(passphrase) --out '\(folder.path)'
            """
    }
}
