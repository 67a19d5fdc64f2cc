import ArgumentParser
import Enrollment
import Foundation
import LocalServers
import Logging
import PKI

/// `muster dev`: everything on one machine, for trying it and for tests.
struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Serve with a private PostgreSQL, a private Mosquitto and a PKI, all under one folder.",
        discussion: """
            On the first start all is made; each later start goes on with the same data. When all is ready, DIR/dev.json \
            says where everything is. Ctrl-C or SIGTERM ends all of it.
            """
    )

    @Option(help: "The folder of all state.", completion: .directory)
    var state: String

    @Option(
        help: """
            The first of the ports: P is the device front, P+1 the public front, P+2 the broker, P+3 the operator front, \
            P+4 the metrics front. 0 takes free ones.
            """
    )
    var portBase: Int = 18_443

    @Flag(
        help: """
            Run an agent beside the broker, enrolled as a device: the broker refuses revoked devices, and their sessions end.
            """
    )
    var agent = false

    @Option(
        name: .customLong("set"),
        help: "Set a key over the configuration that is written at each start: --set issuers.0.crlShards=1024."
    )
    var overrides: [String] = []

    @Option(help: "How much is logged: trace, debug, info, notice, warning, error or critical.")
    var logLevel: String = "info"

    @Option(help: "How it is logged: json or text.")
    var logFormat: String = "json"

    func validate() throws {
        guard portBase == 0 || (1_024...65_000).contains(portBase) else {
            throw ValidationError("--port-base must be 0 or 1024 to 65000")
        }
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("there is no log level \(logLevel)")
        }
        guard ServerConfiguration.Log.Format(rawValue: logFormat) != nil else {
            throw ValidationError("--log-format is json or text")
        }
    }

    func run() async throws {
        try await refusing {
            let path = URL(fileURLWithPath: state).standardizedFileURL.path
            try await DevServers(
                directory: path,
                ports: try DevPorts(base: portBase),
                hasAgent: agent,
                overrides: overrides,
                log: ServerConfiguration.Log(
                    level: Logger.Level(rawValue: logLevel) ?? .info,
                    format: ServerConfiguration.Log.Format(rawValue: logFormat) ?? .json
                )
            ).run()
        }
    }
}

/// The ports of `muster dev`.
struct DevPorts: Sendable {
    let est: Int
    let publicFront: Int
    let broker: Int
    let operatorFront: Int
    let metrics: Int

    init(base: Int) throws {
        if base == 0 {
            let free = try FreePort.next(5)
            (est, publicFront, broker, operatorFront, metrics) = (free[0], free[1], free[2], free[3], free[4])
        } else {
            (est, publicFront, broker, operatorFront, metrics) = (base, base + 1, base + 2, base + 3, base + 4)
        }
    }
}

/// Why `muster dev` does not start.
enum DevProblem: Error, CustomStringConvertible {
    case cannotWrite(String)
    case cannotRead(String)
    case notEnrolled(String)
    case inUse(String)

    var description: String {
        switch self {
        case .cannotWrite(let path): "\(path) cannot be written; is the folder yours, and is there room on the disk?"
        case .cannotRead(let path): "\(path) cannot be read; remove it, and it is made anew"
        case .notEnrolled(let why): "the agent could not enroll: \(why)"
        case .inUse(let path): "another muster dev serves from \(path); stop it, or give another --state"
        }
    }
}
