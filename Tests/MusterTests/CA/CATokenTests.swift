import Foundation
import TestPeers
import Testing

@testable import muster

/// An issuing CA's key in a PKCS#11 token, from request to import: it never leaves.
@Suite struct CATokenTests {
    private static let module = "/usr/lib/softhsm/libsofthsm2.so"
    private static let pin = "648219"

    /// What the machine lacks, or a program said.
    private struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// A token of SoftHSM under the workshop's folder, with one key; gives the key's URI.
    private static func makeToken(in shop: CAWorkshop) async throws -> String {
        guard FileManager.default.fileExists(atPath: module) else {
            throw Missing(description: "run: apt install softhsm2 opensc libengine-pkcs11-openssl")
        }
        try FileManager.default.createDirectory(atPath: "\(shop.path)/tokens", withIntermediateDirectories: false)
        let settings = "directories.tokendir = \(shop.path)/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
        let configuration = try shop.folder.write("softhsm2.conf", settings.utf8)
        unsafe setenv("SOFTHSM2_CONF", configuration, 1)
        let make = ["--init-token", "--free", "--label", "ca", "--so-pin", "5512", "--pin", pin]
        let fill = [
            "--module", module, "--token-label", "ca", "--login", "--pin", pin, "--keypairgen", "--key-type",
            "EC:prime256v1", "--label", "issuing", "--id", "01", "--usage-sign",
        ]
        for (program, arguments) in [("softhsm2-util", make), ("pkcs11-tool", fill)] {
            let result = try await Program.run(program, arguments, environment: ["SOFTHSM2_CONF": configuration])
            guard result.succeeded else { throw Missing(description: "\(program): \(result.errorOutput)") }
        }
        return "pkcs11:token=ca;object=issuing?module-path=\(module)"
    }

    // In a process of its own: SoftHSM reads its variable once a process, and other tests have another token.
    @Test func `a key in a token signs the request and a trust-store signer, and the configuration names its URI`()
        async
    {
        await #expect(processExitsWith: .success) { try await CATokenTests.requestAndImport() }
    }

    private static func requestAndImport() async throws {
        let shop = try CAWorkshop()
        let uri = try await makeToken(in: shop)
        let pinFile = try shop.folder.write("pin", "\(pin)\n".utf8)
        let withoutPIN = #expect(throws: CARefusal.self) { try shop.request("--existing-key", uri) }
        #expect(withoutPIN?.description.contains("needs a PIN") == true)
        let asked = try shop.request("--existing-key", uri, "--passphrase-file", pinFile)
        #expect(asked.contains("--key '\(uri)' --passphrase-file '\(pinFile)'"))
        #expect(!shop.exists("pki/issuing.key"))

        try await shop.makeRoot("root")
        try FileManager.default.copyItem(atPath: "\(shop.path)/pki/issuing.csr", toPath: "\(shop.path)/issuing.csr")
        try await shop.sign("issuing", by: "root")
        try shop.concatenate(["issuing", "root"])
        let report = try shop.take("--passphrase-file", pinFile, "--make-signer", key: uri)
        #expect(report.contains("    keyFile: \"\(uri)\"\n    passphraseFile: \(pinFile)\n"))
        let said = try await shop.openssl(
            "verify",
            "-x509_strict",
            "-CAfile",
            "pki/truststore.pem",
            "pki/truststore-signer.pem"
        )
        #expect(said == "pki/truststore-signer.pem: OK\n")
    }
}
