import Foundation
import TestPeers
import Testing

/// A device by openssl and curl: an IDevID of the development manufacturer, an operational key, and its request.
struct SystemDevice: Sendable {
    /// What the server answered to an enrollment.
    struct Answer: Sendable {
        let status: Int
        /// Header lines, lowercase.
        let headers: [String]
        let body: [UInt8]
    }

    let id: String
    let document: MusterDev.Document
    private let folder: TemporaryDirectory

    /// PEM files of the operational certificate, once `enroll` succeeded, and of its key.
    var certificateFile: String { folder.path + "/device.pem" }
    /// The same with its issuer below it, for peers that know the root alone.
    var chainFile: String { folder.path + "/chain.pem" }
    var keyFile: String { folder.path + "/device.key" }
    /// PEM files of the bootstrap credential.
    var idevidFile: String { folder.path + "/idevid.pem" }
    var idevidKeyFile: String { folder.path + "/idevid.key" }
    /// Its name at the broker.
    var username: String { "\(id)@\(document.fleet)" }

    /// Makes IDevID, key and request; another manufacturer than the development one by its CA's files.
    init(
        _ document: MusterDev.Document,
        id: String? = nil,
        manufacturer: (certificate: String, key: String)? = nil
    ) async throws {
        self.id = id ?? "sys-\(UInt32.random(in: 0 ... .max))"
        self.document = document
        folder = try TemporaryDirectory(prefix: "mdevice")
        try await Shell.run(
            """
            cd "$1"
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout idevid.key -out idevid.csr \
                -subj "/O=Example Devices/serialNumber=$2" 2>/dev/null
            printf '%s\\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' > idevid.ext
            openssl x509 -req -in idevid.csr -CA "$3" -CAkey "$4" -days 3650 -extfile idevid.ext -out idevid.pem \
                2>/dev/null
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout device.key -outform DER \
                -out device.csr -subj "/serialNumber=$2" 2>/dev/null
            openssl base64 -in device.csr -out device.b64
            """,
            folder.path,
            self.id,
            manufacturer?.certificate ?? document.files.manufacturerCert,
            manufacturer?.key ?? document.files.manufacturerKey
        )
    }

    /// Sends the request by curl; the same bytes at each call.
    /// - Parameter est: The front; that of `dev.json` if nil.
    /// - Returns: The answer; status 0 if there was none.
    func enroll(at est: String? = nil) async throws -> Answer {
        let result = try await Program.run(
            "curl",
            [
                "-sS", "--max-time", "60", "--cacert", document.files.root, "--cert", idevidFile, "--key",
                idevidKeyFile,
                "-H", "Content-Type: application/pkcs10", "--data-binary", "@" + folder.path + "/device.b64",
                "-D", folder.path + "/headers", "-o", folder.path + "/body", "-w", "%{http_code}",
                (est ?? document.urls.est) + "/.well-known/est/\(document.fleet)/simpleenroll",
            ]
        )
        let status = Int(result.text) ?? 0
        guard status != 0 else { return Answer(status: 0, headers: [], body: []) }
        let headers = String(decoding: try folder.read("headers"), as: UTF8.self).lowercased()
        let answer = Answer(
            status: status,
            headers: headers.split(whereSeparator: \.isNewline).map(String.init),
            body: try folder.read("body")
        )
        guard status == 200 else { return answer }
        try await Shell.run(
            """
            cd "$1"; base64 -d body | openssl pkcs7 -inform DER -print_certs | openssl x509 -out device.pem
            cat device.pem "$2" > chain.pem
            """,
            folder.path,
            document.files.issuer
        )
        return answer
    }

    /// Enrolls; anything but a certificate fails the test.
    @discardableResult
    func enrolled(at est: String? = nil) async throws -> Self {
        let answer = try await enroll(at: est)
        try #require(answer.status == 200, "\(String(decoding: answer.body.prefix(500), as: UTF8.self))")
        return self
    }

    /// The operational certificate in hex, DER.
    func certificateHex() async throws -> String {
        try await Shell.run("openssl x509 -in \"$1\" -outform DER | od -An -v -tx1 | tr -d ' \\n'", certificateFile)
    }
}
