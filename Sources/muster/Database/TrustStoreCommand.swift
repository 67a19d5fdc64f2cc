import ArgumentParser
import Enrollment
import EnrollmentPostgres
import Foundation
import OperatorAPI
import PKI
import Postgres
import SwiftASN1

/// `muster truststore`: what a fleet trusts.
struct TrustStoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "truststore",
        abstract: "Show, publish and export a fleet's trust store.",
        discussion: CommandStatus.explanation,
        subcommands: [ShowCommand.self, PublishCommand.self, ExportCommand.self]
    )

    struct ShowCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show the newest version, and how many devices have which."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let store = try await client.read(API.TrustStore.self, .getTrustStore, ["fleet": fleet.fleet])
                    try TrustStoreCommand.show(store, json: output.json)
                }
            }
        }
    }

    struct PublishCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "publish",
            abstract: "Sign what the fleet trusts once more, as the next version, and publish it."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let names = ["fleet": fleet.fleet]
                    let store = try await client.write(API.TrustStore.self, .publishTrustStore, names, body: nil)
                    try TrustStoreCommand.show(store, json: output.json)
                }
            }
        }
    }

    struct ExportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract:
                "Write a fleet's trust store: as PEM (issuing CAs first, roots last, CA certificates only), or as published.",
            discussion: """
                The PEM file is what nginx, HAProxy and AWS API Gateway's mutual TLS take as a trust store. Asks the server; \
                or, with --config or --database, the record itself.
                """
        )

        /// How it is written.
        enum Format: String, CaseIterable, ExpressibleByArgument {
            case pem, cms
        }

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var target: DatabaseCommand.Target
        @Option(help: "The fleet's name.") var fleet: String
        @Option(help: "pem, or cms: the signed message in DER.") var format: Format = .pem
        @Option(help: "The file to write; standard output if left out.", completion: .file()) var out: String?

        func run() async throws {
            if target.isGiven {
                try await refusing { try write(await fromRecord()) }
            } else {
                try await operating { try write(await fromServer()) }
            }
        }

        private func fromServer() async throws -> Data {
            let store = try await OperatorClient.with(connection) { client in
                try await client.read(API.TrustStore.self, .getTrustStore, ["fleet": fleet])
            }
            switch format {
            case .pem: return Data(store.pem.utf8)
            case .cms:
                guard let message = Data(base64Encoded: store.message) else {
                    throw CommandFailure(.refused, "the server's message is not base64")
                }
                return message
            }
        }

        private func fromRecord() async throws -> Data {
            guard let name = FleetName(fleet) else { throw refused("'\(fleet)' is not a fleet's name") }
            let pool = try target.pool()
            defer { pool.close() }
            guard let standing = try await PostgresFleetRegistry(pool: pool).standing(of: name),
                let store = standing.trustStore
            else { throw refused("there is no fleet \(name)") }
            switch format {
            case .cms: return Data(store.message)
            case .pem:
                let pem = store.certificates
                    .map { PEMDocument(type: "CERTIFICATE", derBytes: $0).pemString + "\n" }.joined()
                return Data(pem.utf8)
            }
        }

        private func write(_ data: Data) throws {
            if let out {
                try data.write(to: URL(fileURLWithPath: out), options: .atomic)
            } else {
                FileHandle.standardOutput.write(data)
            }
        }
    }

    private static func show(_ store: API.TrustStore, json: Bool) throws {
        if json { return try CommandOutput.json(store) }
        CommandOutput.pairs([
            ("fleet", store.fleet), ("version", "\(store.version)"), ("issued", CommandOutput.time(store.issuedAt)),
            ("expires", CommandOutput.time(store.expiresAt)),
            ("published", store.publishedAt.map { CommandOutput.time($0) } ?? "not yet"), ("SHA-256", store.sha256),
        ])
        for holders in store.holders {
            let version = holders.version == 0 ? "none" : "version \(holders.version)"
            CommandOutput.line("acknowledged \(version): \(holders.devices) devices")
        }
    }
}
