import Foundation
import Synchronization
import TestPeers

/// A PKCS#11 token of SoftHSM with keys in it, in a folder of its own.
///
/// SoftHSM reads SOFTHSM2_CONF once, when this process loads it; hence one token for all tests.
final class SoftToken: Sendable {
    static let module = "/usr/lib/softhsm/libsofthsm2.so"
    static let engine = "/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so"
    static let pin = "648219"
    /// Labels of the keys in it.
    static let ecdsaP256 = "ca-p256"
    static let ecdsaP384 = "ca-p384"
    static let rsa = "ca-rsa"

    /// What the machine lacks, with the command that installs it.
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// Made by the first test that asks, for all.
    static func shared() async throws -> SoftToken { try await making.value }
    // Unstructured: not tied to the test that starts it, since others wait for the same token, and each shows its failure.
    private static let making = Task { try await SoftToken() }

    let folder: TemporaryDirectory
    /// The file with the PIN.
    let pinSource: String

    private init() async throws {
        for path in [Self.module, Self.engine] where !FileManager.default.fileExists(atPath: path) {
            throw Missing(
                description: "\(path) is missing; run: apt install softhsm2 opensc libengine-pkcs11-openssl"
            )
        }
        folder = try TemporaryDirectory(prefix: "hsm")
        // Nothing lets go of what all tests share; so it is removed when the process ends.
        Self.folderToRemove.withLock { [path = folder.path] in $0 = path }
        _ = atexit { SoftToken.removeFolder() }
        pinSource = try folder.write("pin", "\(Self.pin)\n".utf8)
        try FileManager.default.createDirectory(atPath: folder.path + "/tokens", withIntermediateDirectories: false)
        let settings = """
            directories.tokendir = \(folder.path)/tokens
            objectstore.backend = file
            log.level = ERROR
            """
        let configuration = try folder.write("softhsm2.conf", settings.utf8)
        // Before the module is loaded, and no other test reads or writes the environment's variable of this name.
        unsafe setenv("SOFTHSM2_CONF", configuration, 1)
        try await run(
            "softhsm2-util",
            ["--init-token", "--free", "--label", "muster", "--so-pin", "5512", "--pin", Self.pin]
        )
        for (id, label, kind) in [
            ("01", Self.ecdsaP256, "EC:prime256v1"), ("02", Self.ecdsaP384, "EC:secp384r1"),
            ("03", Self.rsa, "rsa:2048"),
        ] {
            try await run(
                "pkcs11-tool",
                [
                    "--module", Self.module, "--token-label", "muster", "--login", "--pin", Self.pin, "--keypairgen",
                    "--key-type", kind, "--label", label, "--id", id, "--usage-sign",
                ]
            )
        }
    }

    /// The URI of the key with that label.
    func uri(_ label: String) -> String {
        "pkcs11:token=muster;object=\(label)?module-path=\(Self.module)&pin-source=\(pinSource)"
    }

    private static let folderToRemove = Mutex<String?>(nil)

    private static func removeFolder() {
        guard let path = folderToRemove.withLock({ $0 }) else { return }
        try? FileManager.default.removeItem(atPath: path)
    }

    private func run(_ program: String, _ arguments: [String]) async throws {
        let result = try await Program.run(
            program,
            arguments,
            environment: ["SOFTHSM2_CONF": folder.path + "/softhsm2.conf"]
        )
        guard result.succeeded else { throw Missing(description: "\(program): \(result.errorOutput)") }
    }
}
