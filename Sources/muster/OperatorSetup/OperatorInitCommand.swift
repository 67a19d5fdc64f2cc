import ArgumentParser
import Foundation
import Glibc
import OpenSSL
import PKI

/// `muster operator init`: the CA of operators' certificates and the operator front's own certificate, for those who
/// have neither.
struct OperatorInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make the CA of operators' certificates, and the operator front's certificate.",
        discussion: """
            Writes operator-ca and operator-front, each as .pem and .key, and prints the section of the configuration. This \
            CA vouches for operators alone: no device's CA does. Nothing is overwritten.
            """
    )

    @Option(help: "The folder to write to; made if it is missing.", completion: .directory)
    var out: String

    @Option(help: "A DNS name or IP address by which operators reach the front; repeat it for several.")
    var host: [String] = ["localhost"]

    @Option(help: "A file (mode 0600) whose first line is to encrypt the CA's key.", completion: .file())
    var passphraseFile: String?

    func validate() throws {
        for host in host where ListenAddress("\(host):1") == nil && ListenAddress("[\(host)]:1") == nil {
            throw ValidationError("--host takes a DNS name or an IP address, not '\(host)'")
        }
    }

    func run() throws {
        try CACommand.report { () throws(CARefusal) in try act(now: Date()) }
    }

    private static let caName = "operator-ca"
    private static let frontName = "operator-front"

    private func act(now: Date) throws(CARefusal) -> String {
        let folder = CAFolder(out)
        let names = [Self.caName, Self.frontName].flatMap { [$0 + ".pem", $0 + ".key"] }
        try folder.checkFree(names)
        let passphrase = try passphraseFile.map { file throws(CARefusal) in try CAPassphrase.read(file) }
        do {
            let caKey = try PrivateKey.generate(.ecdsaP256)
            let ca = try CertificateAuthority.selfSigned(
                commonName: "Muster Operator CA",
                organization: "Muster",
                role: .bootstrapAnchor,
                key: caKey,
                now: now
            )
            let frontKey = try PrivateKey.generate(.ecdsaP256)
            let hosts = HostNames(host)
            let front = try CertificateAuthority.signed(
                commonName: host.first ?? "localhost",
                organization: "Muster",
                role: .tlsServer(dnsNames: hosts.dnsNames, addresses: hosts.addresses),
                publicKey: CertificateAuthority.publicKey(of: frontKey),
                issuer: ca,
                issuerKey: caKey,
                now: now
            )
            let files: [CAFolder.File] = [
                .secret(Self.caName + ".key", try caKey.pem(passphrase: passphrase)),
                .secret(Self.frontName + ".key", try frontKey.pem(passphrase: nil)),
                .open(Self.caName + ".pem", CAText.pem(ca)),
                .open(Self.frontName + ".pem", CAText.pem(front)),
            ]
            try folder.write(files)
        } catch let refusal as CARefusal {
            throw refusal
        } catch {
            throw CARefusal("the CA could not be made: \(error)")
        }
        let path = { (name: String) in CAConfigurationLines.quoted(folder.file(name)) }
        var lines = [
            "Made in \(folder.path). For the configuration:", "", "operator:", "  listen: 0.0.0.0:9443",
            "  certificateFile: \(path(Self.frontName + ".pem"))", "  keyFile: \(path(Self.frontName + ".key"))",
            "  caCertificateFile: \(path(Self.caName + ".pem"))", "  caKeyFile: \(path(Self.caName + ".key"))",
        ]
        if let passphraseFile {
            lines.append("  passphraseFile: \(CAConfigurationLines.quoted(CAFolder.absolute(passphraseFile)))")
        }
        lines += ["", "Then make the first admin, on this machine: muster operator first NAME --config FILE --out DIR"]
        return lines.joined(separator: "\n")
    }
}

/// Hosts as a certificate names them: DNS names, and addresses in network order.
struct HostNames {
    private(set) var dnsNames: [String] = []
    private(set) var addresses: [[UInt8]] = []

    init(_ hosts: [String]) {
        for host in hosts {
            if let address = Self.address(host) { addresses.append(address) } else { dnsNames.append(host) }
        }
    }

    private static func address(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 { return unsafe withUnsafeBytes(of: &four) { unsafe Array($0) } }
        var six = in6_addr()
        if unsafe inet_pton(AF_INET6, text, &six) == 1 { return unsafe withUnsafeBytes(of: &six) { unsafe Array($0) } }
        return nil
    }
}
