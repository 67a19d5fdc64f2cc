import Agent
import Foundation
import Logging
import OperatorAPI
import PKI
import Yams

/// What `muster agent` reads from its file.
struct AgentConfiguration: Sendable {
    /// The file as it is written.
    private struct Document: Codable {
        struct PublicFront: Codable {
            let url: String
            let pollSeconds: Int?
        }
        struct Broker: Codable {
            let host: String
            let port: Int?
            let caFile: String
            let certificateFile: String
            let keyFile: String
        }
        struct Reload: Codable {
            let command: [String]?
            let pidFile: String?
            let timeoutSeconds: Int?
        }
        struct Mosquitto: Codable {
            let endSessions: Bool?
        }
        struct Log: Codable {
            let level: String?
            let format: String?
        }

        let fleet: String
        let anchorFile: String
        let output: String
        let `public`: PublicFront
        let crlFiles: [String]?
        let broker: Broker?
        let reload: Reload?
        let mosquitto: Mosquitto?
        let log: Log?
    }

    struct Broker: Sendable {
        let host: String
        let port: Int
        let caFile: String
        let certificateFile: String
        let keyFile: String
    }

    private static let octetsMax = 1 << 18
    private static let pollSecondsStandard = 5
    private static let timeoutSecondsStandard = 30
    private static let depthMax = 8
    private static let listFilesMax = 16

    let fleet: FleetName
    let anchorFile: String
    let output: String
    /// Without a `/` at the end.
    let url: String
    let poll: Duration
    let listFiles: [String]
    let broker: Broker?
    let reload: ProgramTerminator.Reload
    let endsSessions: Bool
    let level: Logger.Level
    let format: ServerConfiguration.Log.Format

    /// - Throws: The first thing that is wrong, by its place.
    init(file path: String) throws {
        guard let data = FileManager.default.contents(atPath: path), data.count <= Self.octetsMax,
            let text = String(data: data, encoding: .utf8)
        else { throw AgentProblem("\(path) cannot be read; `muster agent --example` prints one to start from") }
        let document: Document
        do {
            let yaml = try ConfigurationDocument(path: path, text: text)
            guard let root = yaml.root else {
                throw DocumentFault(path: "fleet", reason: "is missing")
            }
            let object = try Self.object(root, in: yaml, depth: 0)
            let json = try JSONSerialization.data(withJSONObject: object, options: [.fragmentsAllowed])
            document = try OperatorJSON.decodeStrictly(Document.self, from: json)
        } catch let fault as DocumentFault {
            throw AgentProblem("\(path): \(fault); `muster agent --example` shows every key")
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        func file(_ name: String) -> String { URL(fileURLWithPath: name, relativeTo: folder).standardizedFileURL.path }
        func wrong(_ key: String, _ reason: String) -> AgentProblem { AgentProblem("\(path): \(key) \(reason)") }
        func bounded(_ key: String, _ value: Int, _ range: ClosedRange<Int>) throws -> Int {
            guard range.contains(value) else {
                throw wrong(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }

        guard let fleet = FleetName(document.fleet) else { throw wrong("fleet", "must be a fleet's name: a-z, 0-9, -") }
        self.fleet = fleet
        anchorFile = file(document.anchorFile)
        output = file(document.output)
        let url = document.public.url
        guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme), parsed.host != nil else {
            throw wrong("public.url", "must be the URL of the public front, such as http://pki.example.com")
        }
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        let seconds = document.public.pollSeconds ?? Self.pollSecondsStandard
        poll = .seconds(try bounded("public.pollSeconds", seconds, 1...3600))
        listFiles = (document.crlFiles ?? []).map(file)
        guard listFiles.count <= Self.listFilesMax else {
            throw wrong("crlFiles", "has more than \(Self.listFilesMax) entries")
        }
        broker = try document.broker.map { broker in
            Broker(
                host: broker.host,
                port: try bounded("broker.port", broker.port ?? 8883, 1...65_535),
                caFile: file(broker.caFile),
                certificateFile: file(broker.certificateFile),
                keyFile: file(broker.keyFile)
            )
        }
        let timeout = document.reload?.timeoutSeconds ?? Self.timeoutSecondsStandard
        let limit = Duration.seconds(try bounded("reload.timeoutSeconds", timeout, 1...600))
        switch (document.reload?.command, document.reload?.pidFile) {
        case (let command?, nil):
            guard let program = command.first, !program.isEmpty else {
                throw wrong("reload.command", "is empty; give a program and its arguments, or leave `reload` out")
            }
            reload = .command(command, timeout: limit)
        case (nil, let pidFile?): reload = .mosquitto(pidFile: file(pidFile))
        case (nil, nil): reload = .none
        case (.some, .some): throw wrong("reload", "takes `command` or `pidFile`, not both")
        }
        endsSessions = document.mosquitto?.endSessions ?? false
        if endsSessions, broker == nil {
            throw wrong("mosquitto.endSessions", "needs the section `broker`: sessions are ended through it")
        }
        guard let level = Logger.Level(rawValue: document.log?.level ?? "info") else {
            throw wrong("log.level", "is trace, debug, info, notice, warning, error or critical")
        }
        self.level = level
        guard let format = ServerConfiguration.Log.Format(rawValue: document.log?.format ?? "json") else {
            throw wrong("log.format", "is json or text")
        }
        self.format = format
    }

    /// What JSON can say of YAML.
    private static func object(
        _ node: Node,
        in yaml: ConfigurationDocument,
        depth: Int
    ) throws(DocumentFault) -> Any {
        guard depth < depthMax else { throw DocumentFault(path: "", reason: "is nested too deep") }
        switch node {
        case .mapping(let mapping):
            var object: [String: Any] = [:]
            for (key, node) in mapping {
                if let name = yaml.repeatedName(key) {
                    throw DocumentFault(path: name, reason: "stands twice; keep one")
                }
                guard let name = key.string else { continue }
                object[name] = try Self.object(node, in: yaml, depth: depth + 1)
            }
            return object
        case .sequence(let sequence):
            var list: [Any] = []
            for node in sequence { list.append(try Self.object(node, in: yaml, depth: depth + 1)) }
            return list
        case .scalar(let scalar):
            guard scalar.style == .plain || scalar.style == .any else { return scalar.string }
            if let whole = Int64(scalar.string) { return whole }
            switch scalar.string {
            case "true": return true
            case "false": return false
            default: return scalar.string
            }
        case .alias: throw DocumentFault(path: "", reason: "has aliases (*name), which are not taken; write it out")
        }
    }

    /// One to start from.
    static let example = """
        # muster agent: keeps truststore.pem, capath/ and crl.pem for a broker or a gateway. Paths are relative to this file.
        fleet: demo
        # The root that the agent was made with: trust stores are taken if their signer's chain ends in it.
        anchorFile: root.pem
        output: /var/lib/muster-agent
        public:
          url: http://pki.example.com
          # How often it is asked; each time costs a 304. With a broker, revocations come at once all the same.
          pollSeconds: 5
        # CRLs of CAs whose keys Muster has not, such as an offline root's: nginx wants a list of every CA in a chain.
        #crlFiles: [root-crl.pem]
        # The certificate is a device's, enrolled by Muster like any other, with the issuing CA below it.
        #broker:
        #  host: mqtt.example.com
        #  port: 8883
        #  caFile: broker-root.pem
        #  certificateFile: agent.pem
        #  keyFile: agent.key
        # After each change of the files: a program with its arguments (no shell), or SIGHUP to Mosquitto by its pid file.
        reload:
          command: [nginx, -s, reload]
          #pidFile: /run/mosquitto/mosquitto.pid
          timeoutSeconds: 30
        # Ends live sessions of revoked devices through Mosquitto's dynamic security plugin, in which no device may be listed.
        #mosquitto:
        #  endSessions: true
        log:
          level: info
          format: json

        """
}

/// What keeps the agent from its work.
struct AgentProblem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
