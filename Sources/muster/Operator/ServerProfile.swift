import ArgumentParser
import Foundation
import OpenSSL
import Yams

/// Where the operator front is, and as whom to go there.
struct ServerProfile: Equatable, Sendable {
    /// How an operator proves who they are.
    enum Credential: Equatable, Sendable {
        case certificate(certificateFile: String, keyFile: String)
        /// A file whose first line is a bearer token.
        case token(file: String)
    }

    /// Such as `https://muster.example.com:9443`.
    let url: String
    /// What the front's certificate must chain to, in PEM; the system's CAs if nil.
    let caFile: String?
    let credential: Credential
    /// Where this was found, for messages.
    let origin: String
}

/// The options by which every command that acts on a running system finds it.
struct ConnectionOptions: ParsableArguments {
    @Option(help: "A running `muster dev`: its dev.json, or the folder of it.", completion: .file())
    var dev: String?

    @Option(help: "A profile: url, caFile, certificateFile and keyFile, or tokenFile.", completion: .file())
    var profile: String?

    /// - Throws: `CommandFailure` that says the ways there are.
    func resolve(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> ServerProfile {
        try ServerProfileSearch(environment: environment).find(dev: dev, profile: profile)
    }
}

/// Looks for a profile: options go before the environment, and that before the file of the user.
struct ServerProfileSearch {
    let environment: [String: String]

    private static let octetsMax = 64 * 1024
    private static let keys: Set<String> = ["url", "caFile", "certificateFile", "keyFile", "tokenFile"]

    func find(dev: String?, profile: String?) throws -> ServerProfile {
        if dev != nil, profile != nil { throw CommandFailure(.usage, "give --dev or --profile, not both") }
        if let dev { return try readDev(dev) }
        if let profile { return try read(profile) }
        if let dev = variable("DEV") { return try readDev(dev) }
        if let file = variable("PROFILE") { return try read(file) }
        if let url = variable("URL") { return try readVariables(url) }
        if FileManager.default.fileExists(atPath: standardFile) { return try read(standardFile) }
        throw CommandFailure(
            .usage,
            "no server is named",
            hint: """
                name one by --dev DIR/dev.json, by --profile FILE or MUSTER_CLIENT_PROFILE, by MUSTER_CLIENT_URL and its \
                companions, or in \(standardFile)
                """
        )
    }

    private func variable(_ name: String) -> String? {
        environment["MUSTER_CLIENT_\(name)"].flatMap { $0.isEmpty ? nil : $0 }
    }

    private var standardFile: String {
        let home = environment["HOME"] ?? NSHomeDirectory()
        let base = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home + "/.config"
        return base + "/muster/profile.yaml"
    }

    private func readVariables(_ url: String) throws -> ServerProfile {
        try make(
            url: url,
            caFile: variable("CA_FILE"),
            certificateFile: variable("CERTIFICATE_FILE"),
            keyFile: variable("KEY_FILE"),
            tokenFile: variable("TOKEN_FILE"),
            origin: "the environment (MUSTER_CLIENT_…)"
        )
    }

    private struct DevDocumentLook: Decodable {
        struct URLs: Decodable { let `operator`: String? }
        struct Files: Decodable { let root, operatorCert, operatorKey: String }
        let urls: URLs
        let files: Files
    }

    private func readDev(_ path: String) throws -> ServerProfile {
        let kind = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        let file = kind == .typeDirectory ? path + "/dev.json" : path
        let document: DevDocumentLook
        do {
            document = try JSONDecoder().decode(DevDocumentLook.self, from: content(of: file))
        } catch is DecodingError {
            throw CommandFailure(.refused, "\(file) is not what muster dev writes")
        }
        guard let url = document.urls.operator else {
            throw CommandFailure(.refused, "\(file) names no operator front; was it written by another version?")
        }
        return try make(
            url: url,
            caFile: document.files.root,
            certificateFile: document.files.operatorCert,
            keyFile: document.files.operatorKey,
            tokenFile: nil,
            origin: file
        )
    }

    private func read(_ path: String) throws -> ServerProfile {
        let text = String(decoding: try content(of: path), as: UTF8.self)
        let loaded: Any?
        do { loaded = try Yams.load(yaml: text) } catch { throw CommandFailure(.refused, "\(path) is not YAML") }
        guard let values = loaded as? [String: Any] else {
            throw CommandFailure(.refused, "\(path) is no profile: write url, caFile, certificateFile and keyFile")
        }
        for name in values.keys.sorted() where !Self.keys.contains(name) {
            throw CommandFailure(
                .refused,
                "\(path): unknown key \(name)",
                hint: "known are \(Self.keys.sorted().joined(separator: ", "))"
            )
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        func file(_ key: String) -> String? {
            (values[key] as? String).map { URL(fileURLWithPath: $0, relativeTo: folder).standardizedFileURL.path }
        }
        guard let url = values["url"] as? String else { throw CommandFailure(.refused, "\(path): url is missing") }
        return try make(
            url: url,
            caFile: file("caFile"),
            certificateFile: file("certificateFile"),
            keyFile: file("keyFile"),
            tokenFile: file("tokenFile"),
            origin: path
        )
    }

    private func make(
        url: String,
        caFile: String?,
        certificateFile: String?,
        keyFile: String?,
        tokenFile: String?,
        origin: String
    ) throws -> ServerProfile {
        guard url.hasPrefix("https://"), let parsed = URL(string: url), parsed.host != nil else {
            throw CommandFailure(.refused, "\(origin): url must be such as https://muster.example.com:9443")
        }
        let credential: ServerProfile.Credential
        switch (certificateFile, keyFile, tokenFile) {
        case (let certificateFile?, let keyFile?, nil):
            credential = .certificate(certificateFile: certificateFile, keyFile: keyFile)
        case (nil, nil, let tokenFile?): credential = .token(file: tokenFile)
        default:
            throw CommandFailure(.refused, "\(origin): give certificateFile and keyFile, or tokenFile alone")
        }
        return ServerProfile(
            url: url.hasSuffix("/") ? String(url.dropLast()) : url,
            caFile: caFile,
            credential: credential,
            origin: origin
        )
    }

    private func content(of path: String) throws -> Data {
        guard let handle = FileHandle(forReadingAtPath: path),
            let data = try? handle.read(upToCount: Self.octetsMax + 1)
        else { throw CommandFailure(.refused, "\(path) cannot be read; is there such a file?") }
        guard data.count <= Self.octetsMax else { throw CommandFailure(.refused, "\(path) is too large") }
        return data
    }
}
