import ArgumentParser
import OpenSSL

/// Where the process begins.
@main
enum Program {
    static func main() async {
        OpenSSLLibrary.stayUsable()
        await Muster.main()
    }
}

/// The command line of Muster.
struct Muster: AsyncParsableCommand {
    /// The program's own.
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "muster",
        abstract: "An enrollment authority for device fleets.",
        discussion:
            "Try it with `muster dev --state DIR`; serve with `muster serve --config muster.yaml`. Shell completions: `muster --generate-completion-script bash`.",
        version: version,
        subcommands: [
            ServeCommand.self, DevCommand.self, ConfigCommand.self, DatabaseCommand.self, CACommand.self,
            CRLCommand.self, AgentCommand.self, WebhookCommand.self,
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "On a running system",
                subcommands: [
                    FleetCommand.self, AnchorCommand.self, CredentialCommand.self, RegistrationCommand.self,
                    ApprovalCommand.self, DeviceCommand.self, RevokeCommand.self, RevocationCommand.self,
                    AttemptCommand.self,
                    IssuerCommand.self,
                    TrustStoreCommand.self, OperatorCommand.self, AuditCommand.self,
                ]
            )
        ]
    )
}
