import ArgumentParser
import Foundation
import TestPeers

@testable import muster

/// A folder, the openssl command line as the other CA, and the commands of `muster ca` as an operator types them.
final class CAWorkshop: Sendable {
    /// What openssl said when it did not do what it was told.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Extensions by section, as an operator's configuration file has them.
    private static let configuration = """
        [req]
        distinguished_name = dn
        [dn]
        [v3_ca]
        subjectKeyIdentifier = hash
        basicConstraints = critical,CA:TRUE
        keyUsage = critical,keyCertSign,cRLSign
        [v3_issuing]
        subjectKeyIdentifier = hash
        authorityKeyIdentifier = keyid:always
        basicConstraints = critical,CA:TRUE,pathlen:0
        keyUsage = critical,keyCertSign,cRLSign
        [v3_below_root]
        subjectKeyIdentifier = hash
        authorityKeyIdentifier = keyid:always
        basicConstraints = critical,CA:TRUE
        keyUsage = critical,keyCertSign,cRLSign
        [v3_without_crl_sign]
        subjectKeyIdentifier = hash
        basicConstraints = critical,CA:TRUE,pathlen:0
        keyUsage = critical,keyCertSign
        [v3_without_key_identifier]
        subjectKeyIdentifier = none
        authorityKeyIdentifier = none
        basicConstraints = critical,CA:TRUE,pathlen:0
        keyUsage = critical,keyCertSign,cRLSign
        [v3_leaf]
        subjectKeyIdentifier = hash
        basicConstraints = critical,CA:FALSE
        keyUsage = critical,digitalSignature
        """

    let folder: TemporaryDirectory
    var path: String { folder.path }

    init() throws {
        folder = try TemporaryDirectory(prefix: "ca")
        try folder.write("openssl.cnf", Self.configuration.utf8)
    }

    /// Runs openssl in the folder; gives what it printed.
    @discardableResult
    func openssl(_ arguments: String...) async throws -> String {
        let result = try await Program.run("openssl", arguments, workingDirectory: path)
        guard result.succeeded else {
            throw Failure(description: "openssl \(arguments.joined(separator: " ")): \(result.errorOutput)")
        }
        return result.text
    }

    /// A key of P-256, `name`.key.
    func makeKey(_ name: String) async throws {
        try await openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "\(name).key")
        try chmod("\(name).key", 0o600)
    }

    /// A key and a self-signed CA certificate, `name`.key and `name`.pem.
    func makeRoot(_ name: String, digest: String = "sha256") async throws {
        try await makeKey(name)
        try await openssl(
            "req",
            "-x509",
            "-new",
            "-key",
            "\(name).key",
            "-\(digest)",
            "-days",
            "3650",
            "-subj",
            "/O=Acme/CN=\(name)",
            "-config",
            "openssl.cnf",
            "-extensions",
            "v3_ca",
            "-out",
            "\(name).pem"
        )
    }

    /// A key, and a certificate signed by `issuer`: `name`.key, `name`.pem.
    func makeCA(
        _ name: String,
        under issuer: String,
        section: String = "v3_issuing",
        digest: String = "sha256",
        days: Int = 1825
    ) async throws {
        try await makeKey(name)
        try await openssl(
            "req",
            "-new",
            "-key",
            "\(name).key",
            "-subj",
            "/O=Acme/CN=\(name)",
            "-config",
            "openssl.cnf",
            "-out",
            "\(name).csr"
        )
        try await sign(name, by: issuer, section: section, digest: digest, days: days)
    }

    /// `name`.csr becomes `name`.pem.
    func sign(
        _ name: String,
        by issuer: String,
        section: String = "v3_issuing",
        digest: String = "sha256",
        days: Int = 1825
    ) async throws {
        try await openssl(
            "x509",
            "-req",
            "-in",
            "\(name).csr",
            "-CA",
            "\(issuer).pem",
            "-CAkey",
            "\(issuer).key",
            "-CAcreateserial",
            "-\(digest)",
            "-days",
            "\(days)",
            "-extfile",
            "openssl.cnf",
            "-extensions",
            section,
            "-out",
            "\(name).pem"
        )
    }

    /// `cat names > file`; gives the file's path.
    @discardableResult
    func concatenate(_ names: [String], into file: String = "chain.pem") throws -> String {
        try folder.write(file, names.flatMap { try folder.read("\($0).pem") }, mode: 0o644)
    }

    func text(_ name: String) throws -> String { String(decoding: try folder.read(name), as: UTF8.self) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

    /// Permission bits of the file.
    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.posixPermissions] as? Int
    }

    func chmod(_ name: String, _ mode: Int) throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(path)/\(name)")
    }

    // MARK: the commands, as typed

    @discardableResult
    func initialize(_ arguments: String..., out: String = "pki") throws -> String {
        try CAInitCommand.parse(["--out", "\(path)/\(out)"] + arguments).act(now: Date())
    }

    @discardableResult
    func take(
        _ arguments: String...,
        chain: String = "chain.pem",
        key: String = "issuing.key",
        name: String = "acme-1",
        now: Date = Date()
    ) throws -> String {
        let key = key.hasPrefix("pkcs11:") ? key : "\(path)/\(key)"
        return try CAImportCommand.parse(
            ["--chain", "\(path)/\(chain)", "--key", key, "--name", name, "--out", "\(path)/pki"] + arguments
        ).act(now: now)
    }

    /// The lines that an import is refused with, without the folder's path; empty if it is not.
    func refusal(chain: String = "chain.pem", key: String = "issuing.key", now: Date = Date()) throws -> [String] {
        do {
            try take(chain: chain, key: key, now: now)
            return []
        } catch let refusal as CARefusal {
            return refusal.problems.map { $0.replacing(path + "/", with: "") }
        }
    }

    @discardableResult
    func request(_ arguments: String...) throws -> String {
        try CACSRCommand.parse(
            ["--name", "Acme Issuing CA", "--organization", "Acme", "--out", "\(path)/pki"] + arguments
        ).act()
    }

    @discardableResult
    func install(_ arguments: String..., chain: String = "chain.pem", key: String = "pki/issuing.key") throws -> String
    {
        try CAInstallCommand.parse(
            ["--chain", "\(path)/\(chain)", "--key", "\(path)/\(key)", "--out", "\(path)/pki"] + arguments
        ).act(now: Date())
    }
}
