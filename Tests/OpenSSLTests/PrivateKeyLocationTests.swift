import Foundation
import OpenSSL
import TestPeers
import Testing

/// Where keys are configured to be, and what is refused there.
@Suite struct PrivateKeyLocationTests {
    @Test(arguments: [0o600, 0o400])
    func `a key file that its owner alone may read opens`(mode: Int) throws {
        let key = try PrivateKey.generate(.ecdsaP256)
        let folder = try TemporaryDirectory()
        let path = try folder.write("key.pem", key.pem(passphrase: nil), mode: mode)
        let opened = try PrivateKeyLocation(path).open(passphrase: nil)
        #expect(opened.subjectPublicKeyInfo == key.subjectPublicKeyInfo)
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o601, 0o644, 0o777])
    func `a key file that others may touch is refused, with the command that mends it`(mode: Int) throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write("key.pem", PrivateKey.generate(.ecdsaP256).pem(passphrase: nil), mode: mode)
        let error = #expect(throws: PrivateKeyLocationError.self) { try PrivateKeyLocation(path).open(passphrase: nil) }
        let text = try #require(error).description
        #expect(text.contains(path) && text.contains("0" + String(mode, radix: 8)))
        #expect(text.contains("chmod 600 '\(path)'"))
    }

    @Test func `the mode is that of the file behind a symbolic link`() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write("key.pem", PrivateKey.generate(.ecdsaP256).pem(passphrase: nil), mode: 0o644)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: path)
        #expect(throws: PrivateKeyLocationError.file(.mode(path: folder.path + "/link", mode: 0o644))) {
            try PrivateKeyLocation(folder.path + "/link").open(passphrase: nil)
        }
    }

    @Test func `a missing file, a folder, a named pipe and a file too large are refused`() async throws {
        let folder = try TemporaryDirectory()
        #expect(
            throws: PrivateKeyLocationError.file(.unreadable(path: "/nowhere", reason: "No such file or directory"))
        ) {
            try PrivateKeyLocation("/nowhere").open(passphrase: nil)
        }
        #expect(throws: PrivateKeyLocationError.file(.notRegular(path: folder.path))) {
            try PrivateKeyLocation(folder.path).open(passphrase: nil)
        }
        let pipe = folder.path + "/pipe"
        #expect(try await Program.run("mkfifo", ["-m", "600", pipe]).succeeded)
        #expect(throws: PrivateKeyLocationError.file(.notRegular(path: pipe))) {
            try PrivateKeyLocation(pipe).open(passphrase: nil)
        }
        let large = try folder.write("large", [UInt8](repeating: 0, count: PrivateKey.pemOctetsMax + 1))
        #expect(throws: PrivateKeyLocationError.file(.tooLarge(path: large, octetsMax: PrivateKey.pemOctetsMax))) {
            try PrivateKeyLocation(large).open(passphrase: nil)
        }
    }

    @Test func `an encrypted key file without a passphrase says which file wants one`() throws {
        let folder = try TemporaryDirectory()
        let passphrase = Array("secret words".utf8)
        let path = try folder.write("key.pem", PrivateKey.generate(.ed25519).pem(passphrase: passphrase))
        let error = #expect(throws: PrivateKeyLocationError.self) { try PrivateKeyLocation(path).open(passphrase: nil) }
        let text = try #require(error).description
        #expect(text.hasPrefix(path) && text.contains("it is encrypted, and no passphrase was given"))
        #expect(try PrivateKeyLocation(path).open(passphrase: passphrase).algorithm == .ed25519)
    }

    @Test func `text that begins with pkcs11 is a URI, all else a path`() {
        #expect(PrivateKeyLocation("/etc/muster/ca.key") == .file(path: "/etc/muster/ca.key"))
        #expect(PrivateKeyLocation("pkcs11.pem") == .file(path: "pkcs11.pem"))
        #expect(PrivateKeyLocation("pkcs11:token=a;object=b") == .pkcs11(uri: "pkcs11:token=a;object=b"))
        #expect(PrivateKeyLocation("PKCS11:token=a;object=b") == .pkcs11(uri: "PKCS11:token=a;object=b"))
    }

    @Test(arguments: [
        "pkcs11:token=muster;object=issuing-ca",
        "pkcs11:token=my%20token;id=%01%02;type=private",
        "pkcs11:serial=00ff;object=k?pin-source=/run/secrets/pin&module-path=/usr/lib/softhsm/libsofthsm2.so",
        "pkcs11:token=t;object=k?pin-source=file:///run/secrets/pin",
    ])
    func `a URI that names one key in one token is taken (RFC 7512)`(uri: String) throws {
        try PrivateKeyLocation(uri).check()
    }

    @Test(arguments: [
        ("pkcs11:", "names no key"),
        ("pkcs11:token=t", "names no key"),
        ("pkcs11:object=k", "names no token"),
        ("pkcs11:token=t;object=k;object=l", "object twice"),
        ("pkcs11:token=t;object=k;type=cert", "type=cert"),
        ("pkcs11:token=t;object=k;slot-id=3", "slot-id"),
        ("pkcs11:token=t;object", "without a value"),
        ("pkcs11:token=t;object=%zz", "percent-encoded"),
        ("pkcs11:token=t;object=%4", "percent-encoded"),
        ("pkcs11:token=t;object=k?pin-source=|cat%20/pin", "absolute path"),
        ("pkcs11:token=t;object=k?pin-source=pin", "absolute path"),
        ("pkcs11:token=t;object=k?module-path=libsofthsm2.so", "absolute path"),
        ("pkcs11:token=t;object=k?module-name=softhsm2", "module-name"),
        ("pkcs11:token=t;object=" + String(repeating: "k", count: 201), "too long"),
        ("pkcs11:token=t;object=" + String(repeating: "k", count: 2048), "2048 octets"),
    ])
    func `a URI that is malformed, unclear or not understood is refused with what is wrong`(
        uri: String,
        what: String
    ) throws {
        let error = #expect(throws: PrivateKeyLocationError.self) { try PrivateKeyLocation(uri).check() }
        #expect(try #require(error).description.contains(what))
    }

    @Test(arguments: [
        "pkcs11:token=t;object=k?pin-value=1234567", "pkcs11:token=t;object=k?PIN-Value=1234567&pin-source=/x",
        "pkcs11:token=t;object=k;pin-value=1234567",
    ])
    func `a PIN in the URI is refused and not repeated`(uri: String) throws {
        let location = PrivateKeyLocation(uri)
        let error = #expect(throws: PrivateKeyLocationError.pinValueInURI) { try location.check() }
        #expect(try #require(error).description.contains("pin-source"))
        #expect(location.description.contains("…") && !location.description.contains("1234567"))
    }

    @Test func `a token needs a module and a PIN, from a file that others may not read`() throws {
        let folder = try TemporaryDirectory()
        let uri = "pkcs11:token=t;object=k"
        #expect(throws: PrivateKeyLocationError.moduleMissing(uri: uri)) {
            try PrivateKeyLocation(uri).open(passphrase: Array("1234".utf8))
        }
        #expect(throws: PrivateKeyLocationError.pinMissing) {
            try PrivateKeyLocation(uri).open(passphrase: nil, defaultModulePath: "/usr/lib/softhsm/libsofthsm2.so")
        }
        let open = try folder.write("pin", "1234\n".utf8, mode: 0o640)
        #expect(throws: PrivateKeyLocationError.file(.mode(path: open, mode: 0o640))) {
            try PrivateKeyLocation(uri + "?pin-source=\(open)").open(passphrase: nil, defaultModulePath: "/x.so")
        }
        let empty = try folder.write("empty", "\n".utf8)
        #expect(throws: PrivateKeyLocationError.pinForm) {
            try PrivateKeyLocation(uri + "?pin-source=\(empty)").open(passphrase: nil, defaultModulePath: "/x.so")
        }
    }
}
