import Foundation
import TestPeers

/// Devices that note each of their tries, whatever became of it: what a device sent, how much of an answer it heard,
/// and the certificate in it. A fresh connection each time, the same key and the same request always.
struct FaultFleet: Sendable {
    /// One try of one device.
    struct Try: Decodable, Sendable {
        let device: String
        /// Index of the server in the run.
        let server: Int
        /// Seconds since 1970; `sent` is when the whole request was written.
        let began: Double
        let sent: Double?
        let ended: Double
        /// 0 if there was no answer, or none with a whole head.
        let status: Int
        /// Octets of an answer that were heard.
        let octets: Int
        /// True if the answer came to its end.
        let isWhole: Bool
        let retryAfter: String?
        /// DER in hex.
        let certificate: String?
        let problem: String?
    }

    /// How a fleet behaves.
    struct Behaviour: Sendable {
        var threads = 16
        /// How long all of it may take.
        var seconds = 240
        /// How many certificates each device wants before it is content: more than one comes again.
        var visits = 1
        /// False: each visit is one try, whatever becomes of it.
        var triesAgain = true
        /// Each device asks all servers at the same moment, on a connection each.
        var isEverywhereAtOnce = false
    }

    let prefix: String
    private let bed: FaultBed
    private let folder: TemporaryDirectory
    private let count: Int

    /// Makes the devices of that number, with an IDevID, a key and a request each.
    init(_ bed: FaultBed, devices: Int) async throws {
        self.bed = bed
        count = devices
        prefix = "f\(UInt32.random(in: 0 ... .max))"
        folder = try TemporaryDirectory(prefix: "mfaults")
        try await Shell.run(
            """
            "$2" registrations --dev "$3" --devices "$4" --prefix "$5" --seed 1 --identities "$1/devices" \
                --out "$1/devices.csv" 2>/dev/null
            cd "$1/devices"
            for file in *.key.pem; do
                id=${file%.key.pem}
                openssl req -new -key "$file" -subj "/serialNumber=$id" -outform DER | base64 > "$id.b64"
            done
            """,
            folder.path,
            MusterDev.executable("muster-sim"),
            bed.state + "/dev.json",
            "\(devices)",
            prefix
        )
    }

    /// The folder for `muster-sim --identities`.
    var identities: String { folder.path + "/devices" }

    /// The file of a device's IDevID and key; devices are counted from 1.
    func credentialFile(_ number: Int) throws -> String { try file(number, ".idevid.pem") }

    /// The file of a device's request, in base64.
    func requestFile(_ number: Int) throws -> String { try file(number, ".b64") }

    private func file(_ number: Int, _ suffix: String) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: identities).filter { $0.hasSuffix(suffix) }
        guard names.indices.contains(number - 1) else { throw MissedCondition(what: "device \(number)") }
        return identities + "/" + names.sorted()[number - 1]
    }

    /// Names of its devices as SQL's `like` has them.
    var pattern: String { prefix + "-%" }

    /// Lets all devices enroll, in the background.
    func start(at servers: [FaultServer], _ behaviour: Behaviour = Behaviour()) async throws -> Run {
        let out = folder.path + "/tries-\(UInt32.random(in: 0 ... .max))"
        let script = try folder.write("fleet.py", FleetScript.text.utf8)
        let program = try await BackgroundProgram([
            "python3", script, identities, bed.document.files.root, bed.document.fleet, out,
            servers.map { "\($0.port)" }.joined(separator: ","), "\(behaviour.threads)", "\(behaviour.seconds)",
            "\(behaviour.visits)", behaviour.triesAgain ? "again" : "once",
            behaviour.isEverywhereAtOnce ? "everywhere" : "anywhere",
        ])
        return Run(program: program, file: out)
    }

    /// A fleet under way.
    struct Run: Sendable {
        let program: BackgroundProgram
        fileprivate let file: String

        /// The tries that ended so far.
        func tries() throws -> [Try] {
            guard let data = FileManager.default.contents(atPath: file) else { return [] }
            // The last line may be half written.
            return try data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
                .map { try JSONDecoder().decode(Try.self, from: Data($0)) }
        }

        /// Waits until so many tries came to that.
        func wait(for what: String, _ count: Int, seconds: Int = 120, where isSo: (Try) -> Bool) async throws {
            try await Eventually.holds("\(count) of: \(what)\n\(program.log.suffix(2_000))", seconds: seconds) {
                try tries().count(where: isSo) >= count
            }
        }

        /// Waits for the end of all devices.
        /// - Returns: All tries.
        func ended(withinSeconds seconds: Int = 270) async throws -> [Try] {
            guard let status = try await program.end(withinSeconds: seconds) else {
                throw MissedCondition(what: "the end of a fleet")
            }
            guard status == 0 else { throw BadEnd(program: "the fleet", errorOutput: "\(program.log.suffix(2_000))") }
            return try tries()
        }
    }

    // MARK: The record

    /// Its certificates in the record: DER in hex, by device.
    func recorded() async throws -> [(device: String, certificate: String)] {
        let rows = try await bed.record.query(
            "select device_id, encode(der, 'hex') from certificates where device_id like '\(pattern)' order by 1"
        )
        return rows.split(separator: "\n").map { row in
            let parts = row.split(separator: "|")
            return (String(parts[0]), String(parts[1]))
        }
    }

    /// Devices that hold a certificate of these tries that the record does not have.
    func missing(_ tries: [Try]) async throws -> Set<String> {
        let recorded = Set(try await recorded().map(\.certificate))
        return Set(tries.filter { $0.certificate.map { !recorded.contains($0) } ?? false }.map(\.device))
    }

    /// Devices and keys that have more than one valid certificate, or whose current one is not of that name.
    func doubles() async throws -> String {
        try await bed.record.query(
            """
            select device_id, count(*) from certificates
            where device_id like '\(pattern)' and status = 'valid' and not_after > now()
            group by device_id, key_sha256 having count(*) > 1;
            select device_id from devices d where device_id like '\(pattern)' and not exists (
                select from certificates c where c.serial = d.current_serial and c.issuer_id = d.current_issuer_id
                    and c.device_id = d.device_id and c.key_sha256 = d.current_key_sha256)
            """
        )
    }

    /// Devices that got different certificates for their one key.
    static func changing(_ tries: [Try]) -> [String] {
        Dictionary(grouping: tries.filter { $0.certificate != nil }, by: \.device)
            .filter { Set($0.value.map(\.certificate)).count > 1 }.map(\.key)
    }

    /// Devices without a certificate.
    func unfinished(_ tries: [Try]) -> Int { count - Set(tries.filter { $0.certificate != nil }.map(\.device)).count }
}
