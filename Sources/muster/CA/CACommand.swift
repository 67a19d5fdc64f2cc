import ArgumentParser
import Foundation

/// `muster ca`: makes certification authorities, or takes those made elsewhere. Nothing here needs a server, a database
/// or a configuration.
struct CACommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca",
        abstract: "Make a root and an issuing CA, or take those made elsewhere.",
        discussion: """
            With no CA yet: `muster ca init`. With a root and an intermediate of your own: `muster ca import`. With a root \
            that stays offline or with a provider: `muster ca csr`, have it signed there, then `muster ca install`. \
            No file is ever overwritten.
            """,
        subcommands: [CAInitCommand.self, CAImportCommand.self, CACSRCommand.self, CAInstallCommand.self]
    )

    /// Runs a subcommand's work and prints its report; a refusal is one line a problem on standard error, and status 1.
    static func report(_ work: () throws(CARefusal) -> String) throws {
        do {
            print(try work())
        } catch {
            for problem in error.problems {
                FileHandle.standardError.write(Data("muster: \(problem)\n".utf8))
            }
            throw ExitCode(1)
        }
    }
}

/// Why a command of `muster ca` did nothing: each problem with what to do about it. Never empty.
struct CARefusal: Error, Hashable, CustomStringConvertible {
    let problems: [String]

    init(_ problems: [String]) { self.problems = problems }
    init(_ problem: String) { problems = [problem] }

    var description: String { problems.joined(separator: "\n") }
}

/// The kinds of key that `muster ca` makes.
enum CAKeyChoice: String, CaseIterable, ExpressibleByArgument, Sendable {
    case p256, p384, rsa3072, rsa4096
}

/// Names that come from the command line.
enum CAName {
    /// RFC 5280 appendix A.1: ub-common-name and ub-organization-name.
    static let attributeLengthMax = 64
    private static let issuerLengthMax = 40
    /// Their files would be taken for something else.
    private static let reserved: Set<String> = ["root", "truststore", CATrustStoreSigner.fileStem]

    /// Throws unless `text` can stand in a common name or organization, of at most `lengthMax` characters.
    static func checkAttribute(_ text: String, option: String, lengthMax: Int = attributeLengthMax) throws {
        guard (1...lengthMax).contains(text.unicodeScalars.count), text.first != " ", text.last != " ",
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else {
            throw ValidationError(
                "\(option) must have 1 to \(lengthMax) characters, with no space at either end and no control characters"
            )
        }
    }

    /// Throws unless `text` is an issuer's name, which also names its file.
    static func checkIssuer(_ text: String) throws {
        guard (1...issuerLengthMax).contains(text.utf8.count),
            text.wholeMatch(of: /[a-z0-9-]+/) != nil, text.first != "-"
        else {
            throw ValidationError("--name must be 1 to \(issuerLengthMax) of a-z, 0-9 and -, such as issuing-1")
        }
        guard !reserved.contains(text) else {
            throw ValidationError(
                "--name \(text) would name a file that means something else; take one such as issuing-1"
            )
        }
    }
}
