import ArgumentParser
import Foundation
import OpenSSL
import OperatorAPI
import PKI
import SwiftASN1

/// `muster operator`: who may use the operator front.
struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operator",
        abstract: "Add and remove operators; make the CA of their certificates.",
        discussion: CommandStatus.explanation,
        subcommands: [
            OperatorInitCommand.self, OperatorFirstCommand.self, List.self, Add.self, Remove.self, Me.self,
        ]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List operators by name.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.Operator.self,
                        from: client,
                        .listOperators,
                        json: output.json,
                        columns: [
                            ("OPERATOR", { $0.name }), ("ROLE", { $0.role.rawValue }),
                            ("STATE", { $0.removedAt == nil ? "valid" : "removed" }),
                            ("CERTIFICATE UNTIL", { CommandOutput.time($0.notAfter) }), ("ADDED BY", { $0.createdBy }),
                        ]
                    )
                }
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Add an operator, or give one another role and certificate.",
            discussion: """
                The key is made here and stays here: NAME.key (mode 0600), NAME.pem, and the profile NAME.yaml, which the \
                other commands take as --profile. Hand the folder over by a safe way.
                """
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The name: 1 to 40 of a-z 0-9 . _ -.") var name: String
        @Option(
            help:
                "gateway (asks whether devices are let in), viewer (reads), operator (decides on devices) or admin (decides on fleets and operators)."
        )
        var role: API.Role
        @Option(help: "The folder to write to; made if it is missing.", completion: .directory) var out: String

        func run() async throws {
            try await operating {
                guard OperatorName(name) != nil else {
                    throw CommandFailure(.usage, "'\(name)' is no operator's name: 1 to 40 of a-z 0-9 . _ -")
                }
                let profile = try connection.resolve()
                let folder = CAFolder(out)
                let names = [name + ".pem", name + ".key", name + ".yaml", "ca.pem"]
                try folder.checkFree(names)
                let key = try PrivateKey.generate(.ecdsaP256)
                let der = try CertificateAuthority.request(commonName: name, organization: "Muster", key: key)
                let request = PEMDocument(type: "CERTIFICATE REQUEST", derBytes: der).pemString + "\n"
                let ca = try profile.caFile.map { file in
                    guard let data = FileManager.default.contents(atPath: file) else {
                        throw CommandFailure(.refused, "\(file) cannot be read")
                    }
                    return String(decoding: data, as: UTF8.self)
                }
                let made = try await OperatorClient.with(connection) { client in
                    let body = API.OperatorRequest(name: name, role: role, request: request)
                    return try await client.write(API.OperatorCertificate.self, .addOperator, body: body)
                }
                var lines = ["url: \(profile.url)"]
                if ca != nil { lines.append("caFile: ca.pem") }
                lines += ["certificateFile: \(name).pem", "keyFile: \(name).key", ""]
                var files: [CAFolder.File] = [
                    .secret(name + ".key", try key.pem(passphrase: nil)), .open(name + ".pem", made.chain),
                    .open(name + ".yaml", lines.joined(separator: "\n")),
                ]
                if let ca { files.append(.open("ca.pem", ca)) }
                try folder.write(files)
                if output.json { return try CommandOutput.json(made) }
                CommandOutput.line("\(made.name) is \(made.role.rawValue) until \(CommandOutput.time(made.notAfter))")
                CommandOutput.line("  \(folder.file(name + ".yaml"))")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove",
            abstract: "Take every right from an operator at once, on open connections too."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The name.") var name: String

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await client.send(.removeOperator, ["operator": name])
                    if output.json { return try CommandOutput.json(["removed": name]) }
                    CommandOutput.line("\(name) is no operator any more")
                }
            }
        }
    }

    struct Me: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "self",
            abstract: "Show as whom the server sees you."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let caller = try await client.read(API.Caller.self, .getSelf)
                    if output.json { return try CommandOutput.json(caller) }
                    CommandOutput.line("\(caller.name), \(caller.role.rawValue), by \(caller.by)")
                }
            }
        }
    }
}

extension API.Role: ExpressibleByArgument {}
