import ArgumentParser
import Crypto
import Enrollment
import EnrollmentPostgres
import Foundation
import Logging
import OpenSSL
import PKI
import Postgres
import SwiftASN1
import X509

/// `muster operator first`: the first admin, who adds all others through the operator front.
struct OperatorFirstCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "first",
        abstract: "Make the first admin, on the server's own machine.",
        discussion: """
            Needs the server's configuration: the operators' CA and the database. Writes NAME.pem, NAME.key and the profile \
            NAME.yaml, which the other commands take as --profile. Everyone after the first is added by \
            `muster operator add`, through the server.
            """
    )

    @Argument(help: "The admin's name: 1 to 40 of a-z 0-9 . _ -.")
    var name: String

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "The folder to write to; made if it is missing.", completion: .directory)
    var out: String

    @Option(
        help: "How operators reach the front, for the profile. (default: https://localhost and the port it listens on)"
    )
    var url: String?

    @Option(
        help: "The CA that vouches for the front's certificate, in PEM, for the profile. (default: the operators' CA)"
    )
    var frontCA: String?

    /// An admin's certificate is good so long.
    private static let lifetime: Duration = .seconds(365 * 86_400)

    func run() async throws {
        try await refusing {
            let configuration = try options.load()
            guard let front = configuration.operatorFront else {
                throw refused("the configuration has no section operator; `muster operator init` makes what it names")
            }
            guard name.wholeMatch(of: /[a-z0-9][a-z0-9._-]{0,39}/) != nil else {
                throw refused("'\(name)' is no operator's name: 1 to 40 of a-z 0-9 . _ -, a letter or digit first")
            }
            let folder = CAFolder(out)
            let names = [name + ".pem", name + ".key", name + ".yaml", "ca.pem"]
            try folder.checkFree(names)
            let ca = try ServerMaterial.operatorCA(front)
            let now = Date()
            let key = try PrivateKey.generate(.ecdsaP256)
            let certificate = try CertificateAuthority.signed(
                commonName: name,
                organization: "Muster",
                role: .tlsClient,
                publicKey: CertificateAuthority.publicKey(of: key),
                issuer: ca.certificate,
                issuerKey: ca.key,
                lifetime: Self.lifetime,
                now: now
            )
            let vouching = try frontCA.map { try ServerMaterial.read($0, key: "--front-ca") }
                .map { String(decoding: $0, as: UTF8.self) }
            try await register(certificate, configuration: configuration, at: now)
            let reached = url ?? "https://localhost:\(front.listen.port)"
            let profile = """
                url: \(reached)
                caFile: ca.pem
                certificateFile: \(name).pem
                keyFile: \(name).key

                """
            try folder.write([
                .secret(name + ".key", try key.pem(passphrase: nil)),
                .open(name + ".pem", CAText.pem(certificate)),
                .open("ca.pem", vouching ?? CAText.pem(ca.certificate)),
                .open(name + ".yaml", profile),
            ])
            print("\(name) is an admin. Try: muster operator self --profile \(folder.file(name + ".yaml"))")
        }
    }

    private func register(_ certificate: [UInt8], configuration: ServerConfiguration, at: Date) async throws {
        let pool = PostgresPool(
            PostgresPool.Configuration(
                connection: try DatabaseAccess.configuration(configuration.database),
                connectionsMax: 1
            ),
            logger: Logger(label: "muster") { _ in SwiftLogNoOpLogHandler() }
        )
        defer { pool.close() }
        try await PostgresOperatorRegister(pool: pool).add(
            name,
            role: .admin,
            certificateSHA256: [UInt8](SHA256.hash(data: certificate)),
            notAfter: try Certificate(derEncoded: certificate).notValidAfter,
            actor: "muster operator first",
            at: at
        )
    }
}
