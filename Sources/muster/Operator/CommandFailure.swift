import ArgumentParser
import Foundation
import OperatorAPI

/// How an operator's command ends if it does not do what it was asked; the one place where the codes stand.
enum CommandStatus: Int32, Sendable {
    /// The server refused, or the input is wrong.
    case refused = 1
    /// `fleet apply --dry-run --exit-code`: something differs.
    case differs = 2
    /// The command line is wrong (sysexits.h: EX_USAGE).
    case usage = 64
    /// The server cannot be reached, or cannot answer now (EX_UNAVAILABLE).
    case unavailable = 69
    /// This operator may not do that (EX_NOPERM).
    case notAllowed = 77

    /// For the help of the commands.
    static let explanation = """
        Exit status: 0 done; 1 refused, or the input is wrong; 2 something differs (fleet apply --exit-code); 64 the \
        command line is wrong; 69 the server cannot be reached; 77 not allowed.

        The server is found by --dev, --profile, the environment (MUSTER_CLIENT_DEV, MUSTER_CLIENT_PROFILE, or \
        MUSTER_CLIENT_URL with MUSTER_CLIENT_CA_FILE, MUSTER_CLIENT_CERTIFICATE_FILE and MUSTER_CLIENT_KEY_FILE, or \
        MUSTER_CLIENT_TOKEN_FILE), or ~/.config/muster/profile.yaml, in this order.
        """
}

/// Why a command did not do what it was asked.
struct CommandFailure: Error, Sendable, CustomStringConvertible {
    let status: CommandStatus
    /// What is wrong.
    let text: String
    /// Each thing that is wrong, where there are several.
    let faults: [String]
    /// What to do.
    let hint: String?

    init(_ status: CommandStatus, _ text: String, faults: [String] = [], hint: String? = nil) {
        self.status = status
        self.text = text
        self.faults = faults
        self.hint = hint
    }

    /// What the server answered in place of what was asked for.
    init(_ problem: API.Problem) {
        switch problem.status {
        case 401, 403: status = .notAllowed
        case 503: status = .unavailable
        default: status = .refused
        }
        text = problem.detail
        faults = (problem.faults ?? []).map { "\($0.at): \($0.reason)" }
        hint = problem.status == 401 ? "`muster operator self` shows as whom the server sees you" : nil
    }

    var description: String {
        var lines = ["error: \(text)"]
        lines += faults.map { "  \($0)" }
        if let hint { lines.append("hint: \(hint)") }
        return lines.joined(separator: "\n")
    }
}

/// Runs a command's work; a failure becomes lines on standard error and its status.
func operating(_ work: () async throws -> Void) async throws {
    do {
        try await work()
    } catch let failure as CommandFailure {
        FileHandle.standardError.write(Data("\(failure)\n".utf8))
        throw ExitCode(failure.status.rawValue)
    } catch let problem as API.Problem {
        let failure = CommandFailure(problem)
        FileHandle.standardError.write(Data("\(failure)\n".utf8))
        throw ExitCode(failure.status.rawValue)
    } catch let code as ExitCode {
        throw code
    } catch is CancellationError {
        throw ExitCode(130)
    } catch {
        FileHandle.standardError.write(Data("error: \(error)\n".utf8))
        throw ExitCode(CommandStatus.refused.rawValue)
    }
}
