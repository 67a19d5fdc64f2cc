import Foundation
import Glibc
import TestPeers
import Testing

/// A database, a broker and a PKI without a server: the `muster dev` that made them was killed, so that nothing is done
/// but by the servers that a test starts.
struct RevocationBed: Sendable {
    /// How far a revocation is, as the operator API tells it.
    struct Progress: Decodable {
        struct Step: Decodable {
            let stage: String
            let place: String?
            let isReached: Bool
        }

        let isComplete: Bool
        let steps: [Step]

        /// The stages that something lacks still.
        var lacking: Set<String> { Set(steps.filter { !$0.isReached }.map(\.stage)) }
    }

    let document: MusterDev.Document
    let state: String
    let record: RecordProbe
    let peers: LocalPeers
    /// Its end takes database and broker with it.
    private let dev: MusterDev
    private let ports: Int

    init() async throws {
        dev = try MusterDev()
        // Of those that stay free while their server is away.
        ports = try QuietPort.choose(inARow: 5)
        document = try await dev.start(["--port-base", "\(ports)"])
        state = dev.state
        record = RecordProbe(document)
        peers = LocalPeers(state: dev.state)
        await dev.signal(SIGKILL)
        guard try await dev.waitForEnd() else { throw MissedCondition(what: "the death of muster dev") }
    }

    // MARK: Servers

    /// The server where certificates, agents and `dev.json` look for it.
    /// - Parameter starter: The program, and its arguments, that becomes the server.
    func server(_ starter: [String] = []) async throws -> FaultServer {
        try await FaultServer(
            starter,
            configuration: state + "/muster.yaml",
            port: ports,
            settings: ["public.listen=127.0.0.1:\(ports + 1)", "operator.listen=127.0.0.1:\(ports + 3)"]
        )
    }

    /// A further one, on ports of its own.
    func replica() async throws -> FaultServer {
        let first = try QuietPort.choose(inARow: 3)
        return try await FaultServer(
            [],
            configuration: state + "/muster.yaml",
            port: first,
            settings: ["public.listen=127.0.0.1:\(first + 1)", "operator.listen=127.0.0.1:\(first + 2)"]
        )
    }

    func device(at server: FaultServer) async throws -> SystemDevice {
        try await SystemDevice(document).enrolled(at: server.url)
    }

    // MARK: The operator API

    /// What the operator's certificate is presented with, for curl.
    private var operatorOptions: [String] {
        [
            "-sS", "--max-time", "60", "--cacert", document.files.root, "--cert", document.files.operatorCert, "--key",
            document.files.operatorKey, "-w", "\n%{http_code}",
        ]
    }

    /// Asks once.
    /// - Returns: The status, 0 if there was no answer, and the body.
    private func call(_ server: FaultServer, _ path: String, _ options: [String] = []) async throws -> (Int, String) {
        let url = "\(server.operatorURL)/api/v1/fleets/\(document.fleet)/\(path)"
        let result = try await Program.run("curl", operatorOptions + options + [url])
        let lines = result.text.split(separator: "\n", omittingEmptySubsequences: false)
        return (lines.last.flatMap { Int($0) } ?? 0, lines.dropLast().joined(separator: "\n"))
    }

    /// Orders a revocation.
    /// - Returns: The answer's status, 0 if there was none.
    func revoke(_ device: SystemDevice, at server: FaultServer) async throws -> Int {
        try await call(
            server,
            "devices/\(device.id)/revoke",
            ["-H", "Content-Type: application/json", "-d", #"{"reason": "keyCompromise"}"#]
        ).0
    }

    /// Nil if the device is not revoked.
    func progress(of device: SystemDevice, at server: FaultServer) async throws -> Progress? {
        let (status, body) = try await call(server, "devices/\(device.id)/revocation")
        if status == 404 { return nil }
        guard status == 200 else { throw BadEnd(program: "the operator front", errorOutput: "\(status) \(body)") }
        return try JSONDecoder().decode(Progress.self, from: Data(body.utf8))
    }

    /// Waits until every stage is reached, and sees that it is so where relying parties look.
    func isEverywhere(_ device: SystemDevice, at server: FaultServer) async throws {
        var last: Progress?
        do {
            try await Eventually.holds("all stages of \(device.id)", seconds: 90) {
                last = try await progress(of: device, at: server)
                return last?.isComplete == true
            }
        } catch is MissedCondition {
            Issue.record("\(device.id) lacks \(last?.lacking.sorted() ?? ["everything"])")
        }
        #expect(try await PublicLook(server, device).verdict() == "revoked")
        #expect(try await PublicLook(server, device).isListed())
    }
}

/// What anyone may see of a device's certificate at the public front of a server, by openssl and curl.
struct PublicLook: Sendable {
    private let server: FaultServer
    private let device: SystemDevice

    init(_ server: FaultServer, _ device: SystemDevice) {
        self.server = server
        self.device = device
    }

    /// An OCSP answer whose signature openssl has verified.
    struct Answer {
        let status: String
        /// Seconds since 1970.
        let producedAt, thisUpdate, nextUpdate: Int
    }

    /// The OCSP answer, asked for by GET as through a cache.
    func answer() async throws -> Answer {
        let said = try await Shell.run(
            """
            openssl ocsp -no_nonce -issuer "$2" -cert "$3" -reqout "$3.request"
            curl -sS --max-time 60 -o "$3.answer" "$1/ocsp/$(base64 -w0 "$3.request" | sed 's/+/%2B/g; s,/,%2F,g')"
            cat "$2" "$4" > "$3.cas"
            said=$(openssl ocsp -no_nonce -issuer "$2" -cert "$3" -respin "$3.answer" -CAfile "$3.cas" -resp_text 2>&1)
            grep -q 'Response verify OK' <<< "$said" || { echo "$said" >&2; exit 1; }
            sed -n 's/^.*device.pem: //p' <<< "$said"
            for name in 'Produced At' 'This Update' 'Next Update'; do
                date -d "$(sed -n "s/^ *$name: //p" <<< "$said" | head -n 1)" +%s
            done
            """,
            server.publicURL,
            device.document.files.issuer,
            device.certificateFile,
            device.document.files.root
        )
        let lines = said.split(separator: "\n").map(String.init)
        let times = lines.dropFirst().compactMap { Int($0) }
        guard lines.count == 4, times.count == 3 else { throw BadEnd(program: "openssl ocsp", errorOutput: said) }
        return Answer(status: lines[0], producedAt: times[0], thisUpdate: times[1], nextUpdate: times[2])
    }

    /// `good`, `revoked` or `unknown`.
    func verdict() async throws -> String { try await answer().status }

    /// A CRL whose signature openssl has verified.
    struct List {
        let isListed: Bool
        let number: Int
        /// Seconds since 1970.
        let thisUpdate, nextUpdate: Int
    }

    /// The CRL that the device's certificate names; that of all, or a delta, by another end of its URL.
    func list(_ kind: Kind = .named) async throws -> List {
        let said = try await Shell.run(
            """
            url=$(openssl x509 -in "$1" -noout -ext crlDistributionPoints | sed -n 's/^ *URI://p')
            serial=$(openssl x509 -in "$1" -noout -serial | cut -d= -f2)
            url="$2/${url#http://*/}"
            case $4 in all) url="${url%/*}.crl";; delta) url="${url%.crl}.delta.crl";; esac
            curl -sS -f --max-time 60 -o "$1.crl" "$url"
            openssl crl -inform DER -in "$1.crl" -noout -CAfile "$3" 2>&1 | grep -q 'verify OK'
            said=$(openssl crl -inform DER -in "$1.crl" -noout -text)
            grep -c "Serial Number: $serial" <<< "$said" || true
            openssl crl -inform DER -in "$1.crl" -noout -crlnumber | sed 's/.*=//; s/^0x//'
            for name in 'Last Update' 'Next Update'; do
                date -d "$(sed -n "s/^ *$name: //p" <<< "$said" | head -n 1)" +%s
            done
            """,
            device.certificateFile,
            server.publicURL,
            device.document.files.issuer,
            kind.rawValue
        )
        let lines = said.split(separator: "\n").map(String.init)
        guard lines.count == 4, let number = Int(lines[1], radix: 16), let this = Int(lines[2]),
            let next = Int(lines[3])
        else { throw BadEnd(program: "openssl crl", errorOutput: said) }
        return List(isListed: lines[0] == "1", number: number, thisUpdate: this, nextUpdate: next)
    }

    enum Kind: String, CaseIterable {
        case named, all, delta
    }

    /// Whether the CRL that the certificate names, its delta and the list of all have it.
    func isListed() async throws -> Bool {
        for kind in Kind.allCases where try await !list(kind).isListed { return false }
        return true
    }
}
