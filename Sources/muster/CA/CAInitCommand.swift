import ArgumentParser
import Foundation
import OpenSSL

/// `muster ca init`: a root, an issuing CA and a trust-store signer, for those who have no CA yet.
struct CAInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a root, an issuing CA, and the signer of trust stores.",
        discussion: """
            Writes root, issuing and truststore-signer, each as .pem and .key, and truststore.pem. issuing.pem is the \
            chain that the configuration names: the issuing CA, then the root. Keys have mode 0600.
            """
    )

    @Option(help: "The folder to write to; made if it is missing.", completion: .directory)
    var out: String

    @Option(help: "What the CAs' names begin with. Another installation's CAs need another name.")
    var name: String = "Muster"

    @Option(help: "The organization in the CAs' names. (default: the name)")
    var organization: String?

    @Option(help: "The kind of the keys.")
    var key: CAKeyChoice = .p256

    @Option(help: "A file (mode 0600) whose first line is to encrypt the keys.", completion: .file())
    var passphraseFile: String?

    func validate() throws {
        let suffixMax = CATrustStoreSigner.nameSuffix.unicodeScalars.count
        try CAName.checkAttribute(name, option: "--name", lengthMax: CAName.attributeLengthMax - suffixMax)
        if let organization { try CAName.checkAttribute(organization, option: "--organization") }
    }

    func run() throws {
        try CACommand.report { () throws(CARefusal) in try act(now: Date()) }
    }

    /// Does it; gives what to tell the operator.
    func act(now: Date) throws(CARefusal) -> String {
        let folder = CAFolder(out)
        try folder.checkFree(CAFounding.fileNames)
        let passphrase = try passphraseFile.map { file throws(CARefusal) in try CAPassphrase.read(file) }
        let founding: CAFounding
        let files: [CAFolder.File]
        do {
            founding = try CAFounding(
                name: name,
                organization: organization ?? name,
                algorithm: key.algorithm,
                now: now
            )
            files = try founding.files(passphrase: passphrase)
        } catch {
            throw CARefusal("the CAs could not be made: \(error)")
        }
        try folder.write(files)
        return report(founding, folder)
    }

    private func report(_ founding: CAFounding, _ folder: CAFolder) -> String {
        let passphraseFile = passphraseFile.map(CAFolder.absolute)
        let rootKey = folder.file(CAFounding.rootKeyName)
        var lines = ["Made in \(folder.path):"]
        lines += founding.summary
        lines += ["", "For the configuration:", ""]
        lines += CAConfigurationLines.issuer(
            name: CAFounding.issuerName,
            certificateFile: folder.file(CAFounding.issuingName),
            key: folder.file(CAFounding.issuingKeyName),
            passphraseFile: passphraseFile
        )
        lines += CAConfigurationLines.trustStore(
            certificateFile: folder.file(CATrustStoreSigner.certificateName),
            key: folder.file(CATrustStoreSigner.keyName),
            passphraseFile: passphraseFile
        )
        lines += [
            "",
            "Now move \(rootKey) to a medium that is kept offline, with a second copy elsewhere, and delete it here:",
            "Muster never needs it again, but you do when the issuing CA has to be replaced.",
        ]
        if passphraseFile == nil {
            lines.append("The keys are not encrypted; whoever reads them can issue. --passphrase-file encrypts them.")
        }
        return lines.joined(separator: "\n")
    }
}
