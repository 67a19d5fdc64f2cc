import ArgumentParser
import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import SwiftASN1

/// `muster truststore`: what a fleet trusts.
struct TrustStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "truststore",
        abstract: "Export a fleet's trust store.",
        subcommands: [ExportCommand.self]
    )

    struct ExportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Write a fleet's trust store as PEM: issuing CAs first, roots last, CA certificates only.",
            discussion: "The file is what nginx, HAProxy and AWS API Gateway's mutual TLS take as a trust store."
        )

        @OptionGroup var target: DatabaseCommand.Target

        @Option(help: "The fleet's name.")
        var fleet: String

        @Option(help: "The file to write; standard output if left out.", completion: .file())
        var out: String?

        func run() async throws {
            try await refusing {
                guard let name = FleetName(fleet) else { throw refused("'\(fleet)' is not a fleet's name") }
                let pool = try target.pool()
                defer { pool.close() }
                guard let standing = try await PostgresFleetRegistry(pool: pool).standing(of: name),
                    let store = standing.trustStore
                else { throw refused("there is no fleet \(name)") }
                let pem = store.certificates
                    .map { PEMDocument(type: "CERTIFICATE", derBytes: $0).pemString + "\n" }.joined()
                if let out {
                    try Data(pem.utf8).write(to: URL(fileURLWithPath: out), options: .atomic)
                } else {
                    print(pem, terminator: "")
                }
            }
        }
    }
}
