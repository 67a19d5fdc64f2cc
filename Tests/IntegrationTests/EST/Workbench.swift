import Foundation
import TestPeers
import Testing

/// A folder for one test's keys, requests and certificates, the running server, and the programs that meet it.
struct Workbench: Sendable {
    /// An HTTP answer as curl saw it.
    struct Answer: Sendable {
        /// 0 if there was no answer.
        let status: Int
        /// By name, in lowercase.
        let headers: [String: String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        /// What stands before the colon in the text of a refusal.
        var reason: String { String(text.prefix { $0 != ":" }) }
    }

    let document: MusterDev.Document
    /// The DeviceID of this test's device.
    let id: String
    private let folder: TemporaryDirectory

    init(_ prefix: String = "est") async throws {
        document = try await MusterDev.shared.running().document
        id = "\(prefix)-\(UInt32.random(in: 0 ... .max))"
        folder = try TemporaryDirectory(prefix: "mest")
        try folder.write("openssl.cnf", Self.opensslSettings.utf8)
    }

    /// Lets curl send what its OpenSSL would keep back by itself, such as a certificate that is signed with SHA-1.
    private static let opensslSettings = """
        openssl_conf = settings
        [settings]
        ssl_conf = modules
        [modules]
        system_default = weak
        [weak]
        CipherString = DEFAULT@SECLEVEL=0

        """

    func path(_ file: String) -> String { folder.path + "/" + file }
    func read(_ file: String) throws -> [UInt8] { try folder.read(file) }
    func write(_ file: String, _ bytes: some Sequence<UInt8>) throws { try folder.write(file, bytes) }

    /// The server's authority, for programs that take no URL.
    var authority: String { String(document.urls.est.dropFirst("https://".count)) }

    // MARK: Programs

    /// Runs a bash script in the folder with the functions of ``prologue`` and the server's files as variables.
    func program(_ script: String, _ arguments: [String] = []) async throws -> Program.Result {
        try await Program.run(
            "bash",
            ["-c", Self.prologue + script, "script"] + arguments,
            environment: [
                "ID": id, "EST": document.urls.est, "AUTHORITY": authority, "FLEET": document.fleet,
                "ROOT": document.files.root, "ISSUER": document.files.issuer,
                "MANUFACTURER": document.files.manufacturerCert, "MANUFACTURER_KEY": document.files.manufacturerKey,
                "CLAIM": document.files.claimCert, "CLAIM_KEY": document.files.claimKey,
                "PKI": URL(fileURLWithPath: document.files.root).deletingLastPathComponent().path,
            ],
            workingDirectory: folder.path
        )
    }

    /// The same; a script that fails fails the test.
    /// - Returns: Standard output without the blanks around it.
    @discardableResult
    func sh(_ script: String, _ arguments: String...) async throws -> String {
        let result = try await program(script, arguments)
        guard result.succeeded else {
            throw BadEnd(program: "bash", errorOutput: result.errorOutput + result.text.suffix(2_000))
        }
        return result.text.trimmingBlanks
    }

    /// - `key NAME KIND`: NAME.key, of a curve, RSA-<bits> or Ed25519.
    /// - `request NAME SUBJECT [options of openssl req]`: NAME.csr and NAME.b64 for NAME.key.
    /// - `credential NAME CA CAKEY SUBJECT [options of openssl x509]`: NAME.pem for NAME.key, which is made if missing.
    /// - `idevid NAME SUBJECT [options of openssl x509]`: the same from the manufacturer.
    /// - `dated NAME CA CAKEY SUBJECT START END`: the same with these times, YYYYMMDDHHMMSSZ.
    /// - `assembled NAME`: the request of the CertificationRequestInfo in `info`, signed by NAME.key, in device.b64.
    private static let prologue = """
        set -euo pipefail
        key() {
            case $2 in
            RSA-*) openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#RSA-}" -out "$1.key" ;;
            Ed25519) openssl genpkey -algorithm ED25519 -out "$1.key" ;;
            *) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out "$1.key" ;;
            esac 2>/dev/null
        }
        request() {
            local name=$1 subject=$2
            shift 2
            openssl req -new -key "$name.key" -subj "$subject" -outform DER -out "$name.csr" "$@"
            openssl base64 -in "$name.csr" -out "$name.b64"
        }
        wanted() {
            [ -e "$1.key" ] || key "$1" P-256
            openssl req -new -key "$1.key" -subj "$2" -out "$1.req"
            [ -e "$1.ext" ] ||
                printf '%s\\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' > "$1.ext"
        }
        credential() {
            local name=$1 ca=$2 key=$3
            wanted "$name" "$4"
            shift 4
            openssl x509 -req -in "$name.req" -CA "$ca" -CAkey "$key" -set_serial "0x4$RANDOM$RANDOM" -days 3650 \\
                -extfile "$name.ext" -out "$name.pem" "$@" 2>/dev/null
        }
        idevid() {
            local name=$1 subject=$2
            shift 2
            credential "$name" "$MANUFACTURER" "$MANUFACTURER_KEY" "$subject" "$@"
        }
        dated() {
            wanted "$1" "$4"
            : > "$1.db"
            printf '%s\\n' '[ca]' 'default_ca=c' '[c]' "database=$1.db" 'rand_serial=yes' 'policy=p' '[p]' \\
                'commonName=optional' 'serialNumber=optional' 'organizationName=optional' > "$1.conf"
            openssl ca -config "$1.conf" -batch -notext -preserveDN -md sha256 -in "$1.req" -cert "$2" -keyfile "$3" \\
                -startdate "$5" -enddate "$6" -outdir . -extfile "$1.ext" -out "$1.pem" 2>/dev/null
        }
        hex() { od -An -v -tx1 | tr -d ' \\n'; }
        assembled() {
            openssl dgst -sha256 -sign "$1.key" -out signature info
            printf '%s\\n' asn1=SEQUENCE:s '[s]' algorithm=SEQUENCE:a \\
                "signature=FORMAT:HEX,BITSTRING:$(hex < signature)" '[a]' oid=OID:ecdsa-with-SHA256 > seal.conf
            openssl asn1parse -genconf seal.conf -noout -out seal
            # The content of both sequences is longer than 127 and shorter than 65,536 octets, but for the seal's.
            tail -c +3 seal | cat info - > content
            local size; size=$(stat -c %s content)
            { if [ "$size" -lt 256 ]; then printf "\\\\x30\\\\x81\\\\x$(printf %02x "$size")"
              else printf "\\\\x30\\\\x82\\\\x$(printf %02x $((size / 256)))\\\\x$(printf %02x $((size % 256)))"
              fi
              cat content; } > assembled.csr
            openssl asn1parse -inform DER -in assembled.csr -noout
            openssl base64 -in assembled.csr -out device.b64
        }

        """

    // MARK: HTTP

    /// One request by curl.
    /// - Parameters:
    ///   - credential: NAME of NAME.pem and NAME.key for TLS, or nil for none.
    ///   - path: Path below the server, sent as it is.
    func curl(_ path: String, as credential: String? = nil, _ options: [String] = []) async throws -> Answer {
        let call = UInt32.random(in: 0 ... .max)
        let identity = credential.map { ["--cert", self.path("\($0).pem"), "--key", self.path("\($0).key")] } ?? []
        let result = try await Program.run(
            "curl",
            [
                "-sS", "--http1.1", "--path-as-is", "--max-time", "60", "--cacert", document.files.root,
                "-D", self.path("\(call).headers"), "-o", self.path("\(call).body"), "-w", "%{http_code}",
            ] + identity + options + [document.urls.est + path],
            environment: ["OPENSSL_CONF": self.path("openssl.cnf")],
            workingDirectory: folder.path
        )
        guard let status = Int(result.text), status != 0 else { return Answer(status: 0, headers: [:], body: []) }
        var headers: [String: String] = [:]
        for line in String(decoding: try read("\(call).headers"), as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = String(line[line.index(after: colon)...]).trimmingBlanks
            headers[line[..<colon].lowercased()] = value
        }
        // curl makes no file for an answer without a body.
        return Answer(status: status, headers: headers, body: (try? read("\(call).body")) ?? [])
    }

    /// The path of an operation of the fleet.
    func operation(_ name: String) -> String { "/.well-known/est/\(document.fleet)/\(name)" }

    /// Posts a file of the folder.
    func post(
        _ file: String,
        to operation: String = "simpleenroll",
        as credential: String? = "idevid",
        type: String = "application/pkcs10",
        _ options: [String] = []
    ) async throws -> Answer {
        try await curl(
            self.operation(operation),
            as: credential,
            ["-H", "Content-Type: \(type)", "--data-binary", "@" + path(file)] + options
        )
    }

    // MARK: Devices

    /// Makes an IDevID (`idevid`), a key (`device`) and its request (`device.b64`) of that subject.
    func makeDevice(_ kind: String = "P-256", subject: String? = nil) async throws {
        try await sh(
            "idevid idevid \"/O=Example Devices/serialNumber=$ID\"; key device \"$1\"; request device \"$2\"",
            kind,
            subject ?? "/serialNumber=\(id)"
        )
    }

    /// The device with its certificate in `device.pem`, by its IDevID.
    static func enrolled(_ kind: String = "P-256") async throws -> Workbench {
        let bench = try await Workbench()
        try await bench.makeDevice(kind)
        let answer = try await bench.post("device.b64")
        try #require(answer.status == 200, "\(answer.text.prefix(500))")
        try await bench.save(answer, as: "device")
        return bench
    }

    /// Writes the one certificate of a 200 answer to NAME.pem; more or fewer fail the test (EST-24).
    func save(_ answer: Answer, as name: String) async throws {
        try #require(answer.status == 200, "\(answer.text.prefix(500))")
        try write("\(name).p7", answer.body)
        try await sh(
            """
            base64 -d "$1.p7" | openssl pkcs7 -inform DER -print_certs -out "$1.bag"
            [ "$(grep -c 'BEGIN CERTIFICATE' "$1.bag")" = 1 ]
            openssl x509 -in "$1.bag" -out "$1.pem"
            """,
            name
        )
    }

    /// A request for NAME.key with subject and alternative names of the certificate OF.pem, in NAME.b64.
    func makeRenewal(_ name: String, of certificate: String) async throws {
        try await sh(
            """
            subject=$(openssl x509 -in "$2.pem" -noout -subject -nameopt compat)
            san=$(openssl x509 -in "$2.pem" -noout -ext subjectAltName | sed -n 's/^ *URI:/URI:/p')
            request "$1" "${subject#subject=}" -utf8 -addext "subjectAltName=$san"
            """,
            name,
            certificate
        )
    }

    func serial(_ name: String) async throws -> String {
        try await sh("openssl x509 -in \"$1.pem\" -noout -serial | cut -d= -f2", name)
    }

    // MARK: The record

    /// `operation|outcome|stage|rule|reason|device_id` of the attempt that an answer is about.
    func attempt(_ answer: Answer) async throws -> String {
        let request = try #require(answer.headers["request-id"], "\(answer.status) \(answer.text)")
        return try await RecordProbe(document).query(
            """
            select operation, outcome, stage, rule, coalesce(reason, ''), coalesce(device_id, '')
            from attempts where request_id = '\(request)'
            """
        )
    }
}
