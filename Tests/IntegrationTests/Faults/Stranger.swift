import Foundation
import TestPeers

/// Somebody who does at a server's door what no device does. It says what it saw in lines of JSON.
struct Stranger: Sendable {
    private let program: BackgroundProgram
    private let folder: TemporaryDirectory

    /// Begins.
    /// - Parameter arguments: What it does, and the rest of the script's arguments after port and root.
    init(_ bed: FaultBed, at server: FaultServer, _ what: String, _ arguments: String...) async throws {
        folder = try TemporaryDirectory(prefix: "mstranger")
        let script = try folder.write("stranger.py", StrangerScript.text.utf8)
        program = try await BackgroundProgram(
            ["python3", script, what, "\(server.port)", bed.document.files.root] + arguments
        )
    }

    /// Waits until it has said something with that key.
    func says<Saying: Decodable>(
        _ key: String,
        as saying: Saying.Type = Saying.self,
        withinSeconds seconds: Int = 120
    ) async throws -> Saying {
        func line() -> Substring? {
            program.log.split(separator: "\n").first {
                $0.hasPrefix("{") && $0.contains("\"\(key)\":") && $0.hasSuffix("}")
            }
        }
        try await Eventually.holds("a stranger to tell of \(key)", seconds: seconds) {
            line() != nil || program.status != nil
        }
        guard let text = line() else { throw BadEnd(program: "a stranger", errorOutput: program.log) }
        return try JSONDecoder().decode(saying, from: Data(text.utf8))
    }

    /// What came of one connection.
    struct Call: Decodable, Sendable {
        /// 0 if nothing was answered.
        let status: Int
        /// True if the server ended the connection.
        let ended: Bool
        /// Octets that could be sent.
        let octets: Int
        let seconds: Double
    }

    /// Waits until its one connection is over.
    func call(withinSeconds seconds: Int = 120) async throws -> Call {
        try await says("status", withinSeconds: seconds)
    }
}
