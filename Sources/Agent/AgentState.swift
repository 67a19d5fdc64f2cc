import Foundation
import PKI

/// What outlives the agent: what it put in force, so that after a restart nothing older comes in its place.
struct AgentState: Codable, Hashable, Sendable {
    static let fileName = "state.json"

    var trustStore: VerifiedTrustStore?
    /// The highest number in force of each CA's lists, by SHA-256 of its certificate.
    var numbers: [String: Int64] = [:]
    /// SHA-256 of the files that the terminator has read; nil before the first time.
    var loaded: String?
    /// The trust store that was acknowledged.
    var acknowledged: Int64 = 0
    /// Whose sessions are still to be ended; missing in states of earlier agents.
    var sessions: RevokedSessions?

    /// Nothing yet.
    init() {}

    /// What a folder keeps; nothing if there is no file.
    /// - Throws: If there is a file and it cannot be read: then nobody knows what is older.
    init(in folder: AgentFolder) throws {
        guard let octets = folder.read(Self.fileName) else { return }
        do { self = try JSONDecoder().decode(Self.self, from: Data(octets)) } catch {
            throw StateFault(path: folder.path + "/" + Self.fileName)
        }
    }

    func save(in folder: AgentFolder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try folder.replace(Self.fileName, with: [UInt8](encoder.encode(self)), mode: 0o600)
    }
}

/// The state cannot be read.
struct StateFault: Error, CustomStringConvertible {
    let path: String
    var description: String {
        "\(path) is not a state of the agent; remove it to trust whatever verifies, however old it is"
    }
}
