import ArgumentParser
import NIOCore
import PKI

/// By what an operator looks for devices.
enum SearchTerm: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// The beginning of a DeviceID, of a length that is drawn.
    case prefix
    /// The serial number of a certificate.
    case serial
    /// The SHA-256 of a key.
    case key
    /// The SHA-256 of the credential by which devices first came.
    case credential

    /// How an operator asks for that device, and what stands in the answer.
    func question(about known: BenchRecord.Known, from asker: BenchOperator) -> AskPlan.Question {
        let device = "\"device\":\"\(known.device)\""
        switch self {
        case .prefix:
            let prefix = String(known.device.prefix(Int.random(in: 1...known.device.count)))
            return ask(asker, prefix, "\"device\":\"\(prefix)")
        case .serial: return ask(asker, Hex.text(known.serialNumber), device)
        case .key: return ask(asker, Hex.text(known.keySHA256), device)
        case .credential:
            // The credential of a batch has more devices than a page.
            let text = Hex.text(known.credentialSHA256)
            return ask(asker, text, "\"firstCredentialSHA256\":\"\(text)\"")
        }
    }

    private func ask(_ asker: BenchOperator, _ value: String, _ mark: String) -> AskPlan.Question {
        AskPlan.Question(request: asker.devices(where: rawValue, is: value), mark: Array(mark.utf8))
    }
}

/// `muster-sim bench search`: an operator looks for devices all over the record, one question after the other.
struct BenchSearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Looks for devices of the record over the operator API, and measures each answer; prints JSON."
    )
    /// Questions before, which do not count: what is prepared once, is.
    private static let warmup = 10
    private static let requestsMax = 100_000

    @Option(help: ArgumentHelp("The dev.json of the Muster to play against.", valueName: "file"))
    var dev: String

    @Option(help: "prefix of the DeviceID, serial number, key, or credential.")
    var by: SearchTerm

    @Option(help: "Questions to measure, each about another device.")
    var requests = 200

    func validate() throws {
        guard (1...Self.requestsMax).contains(requests) else {
            throw ValidationError("--requests must be 1 to \(Self.requestsMax)")
        }
    }

    func run() async throws {
        let file = try DevFile.read(dev)
        let asker = try BenchOperator(file)
        let known = try await BenchRecord.with(file) { try await $0.known(Self.warmup + requests) }
        var report = try await AskPlan(
            questions: known.map { by.question(about: $0, from: asker) },
            warmup: Self.warmup,
            rate: nil
        ).run(file, connections: 1)
        report.mode = "search-\(by.rawValue)"
        try BenchOutput.print(report)
        if report.failed > 0 { throw ExitCode.failure }
    }
}
