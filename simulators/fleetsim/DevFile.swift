import Foundation

/// What `muster dev` writes when all of it is ready: where it listens, and the files of its PKI.
struct DevFile: Decodable, Sendable {
    /// The most octets of the file.
    static let octetsMax = 64 * 1024

    struct URLs: Decodable, Sendable {
        let est: String
        let `public`: String?
        let `operator`: String?
        let metrics: String?
    }

    struct Broker: Decodable, Sendable {
        let host: String
        let port: Int
    }

    /// Absolute paths of PEM files.
    struct Files: Decodable, Sendable {
        /// The fleet's root CA, which devices are made with; it verifies the server too.
        let root: String
        let issuer: String?
        let claimCert: String?
        let claimKey: String?
        /// The CA that signs claim certificates.
        let claimCACert: String?
        let claimCAKey: String?
        let manufacturerCert: String?
        let manufacturerKey: String?
        /// An operator who may revoke.
        let operatorCert: String?
        let operatorKey: String?
    }

    let pid: Int32?
    let urls: URLs
    let mqtt: Broker?
    /// A libpq URI; it may hold a password, and so is never printed.
    let database: String?
    let fleet: String
    let files: Files

    /// Reads the file, and refuses one whose servers are not on this machine: load goes to loopback only.
    static func read(_ path: String) throws -> DevFile {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SimulatorError.devFile("cannot read \(path); start `muster dev --state DIR` and give DIR/dev.json")
        }
        guard data.count <= octetsMax else { throw SimulatorError.devFile("\(path) is not a dev.json: too large") }
        let file: DevFile
        do {
            file = try JSONDecoder().decode(DevFile.self, from: data)
        } catch {
            throw SimulatorError.devFile("\(path) is not a dev.json: \(error)")
        }
        for url in [file.urls.est, file.urls.public, file.urls.operator, file.urls.metrics].compactMap({ $0 }) {
            _ = try LoopbackEndpoint(url: url)
        }
        if let broker = file.mqtt { _ = try LoopbackEndpoint(host: broker.host, port: broker.port) }
        return file
    }

    /// The PEM text of one of its files; nil in `path` names the key that dev.json lacks.
    static func text(of path: String?, named name: String) throws -> String {
        guard let path else { throw SimulatorError.devFile("dev.json has no files.\(name)") }
        guard let data = FileManager.default.contents(atPath: path), data.count <= octetsMax,
            let text = String(data: data, encoding: .utf8)
        else { throw SimulatorError.devFile("cannot read \(path), which dev.json names as files.\(name)") }
        return text
    }
}

/// Why a run cannot begin.
enum SimulatorError: Error, CustomStringConvertible {
    case devFile(String)
    case notLoopback(String)
    case output(String)
    case credential(String)
    case identities(String)
    case database(String)
    case operation(String)

    var description: String {
        switch self {
        case .devFile(let text): text
        case .notLoopback(let host):
            "\(host) is not on this machine; the simulator makes load, and only for localhost, 127.0.0.0/8 and ::1"
        case .output(let text), .credential(let text), .identities(let text), .database(let text),
            .operation(let text):
            text
        }
    }
}
