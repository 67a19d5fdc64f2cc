import ArgumentParser
import Foundation

/// `muster ca import`: takes a root and intermediates made elsewhere, by openssl for example.
struct CAImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take an issuing CA that was made elsewhere.",
        discussion: """
            The chain file is what `cat intermediate.pem root.pem` makes. It is looked over, and written as NAME.pem and \
            truststore.pem; the key stays where it is.
            """
    )

    @OptionGroup var source: CAImportOptions

    @Option(help: "The issuer's name in the configuration: 1 to 40 of a-z, 0-9 and -.")
    var name: String

    func validate() throws { try CAName.checkIssuer(name) }

    func run() throws {
        try CACommand.report { () throws(CARefusal) in try act(now: Date()) }
    }

    /// Does it; gives what to tell the operator.
    func act(now: Date) throws(CARefusal) -> String { try source.work(name: name).act(now: now) }
}

/// `muster ca install`: takes what another CA signed for a request of `muster ca csr`.
struct CAInstallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Take the certificate that another CA signed for `muster ca csr`.",
        discussion: """
            The chain file has the signed certificate first and the certificates above it after it, the root last. It is \
            looked over, and written as issuing.pem and truststore.pem.
            """
    )

    @OptionGroup var source: CAImportOptions

    func run() throws {
        try CACommand.report { () throws(CARefusal) in try act(now: Date()) }
    }

    /// Does it; gives what to tell the operator.
    func act(now: Date) throws(CARefusal) -> String { try source.work(name: CAFounding.issuerName).act(now: now) }
}

/// What both take.
struct CAImportOptions: ParsableArguments {
    @Option(help: "The certificates in PEM: issuing CA first, root last, at most four.", completion: .file())
    var chain: String

    @Option(help: "The issuing CA's private key: a PEM file (mode 0600) or a pkcs11: URI.", completion: .file())
    var key: String

    @Option(
        help: "A file (mode 0600) whose first line is the key's passphrase, or the token's PIN.",
        completion: .file()
    )
    var passphraseFile: String?

    @Option(help: "The folder to write to; made if it is missing.", completion: .directory)
    var out: String

    @Flag(help: "Have the issuing CA certify a signer of trust stores, too: truststore-signer.pem and .key.")
    var makeSigner: Bool = false

    /// The work that they ask for.
    func work(name: String) -> CAImport {
        CAImport(
            chainFile: chain,
            key: CAKeySource(key, passphraseFile: passphraseFile),
            name: name,
            folder: CAFolder(out),
            makesSigner: makeSigner
        )
    }
}
