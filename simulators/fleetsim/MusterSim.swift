import ArgumentParser
import Glibc

/// The executable `muster-sim`: a seeded fleet of devices that enroll as real ones do.
@main
struct MusterSim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "muster-sim",
        abstract: "A seeded fleet of simulated devices, for a Muster on this machine.",
        subcommands: [
            EnrollCommand.self, RunCommand.self, RegistrationsCommand.self, SeedCommand.self, BenchCommand.self,
        ]
    )

    static func main() async {
        // What is written here holds private keys.
        umask(0o077)
        await main(nil)
    }
}
