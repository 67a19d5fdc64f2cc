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
    static let configuration = CommandConfiguration(
        commandName: "muster",
        abstract: "An enrollment authority for device fleets.",
        discussion: "Try it with `muster dev --state DIR`; serve with `muster serve --config muster.yaml`.",
        version: "0.1.0",
        subcommands: [
            ServeCommand.self, DevCommand.self, ConfigCommand.self, DatabaseCommand.self, CACommand.self,
            AuditCommand.self, TrustStoreCommand.self,
        ]
    )
}
