import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOPosix
import NIOSSL
import OpenSSL
import OperatorAPI

/// Speaks the operator API.
struct OperatorClient: Sendable {
    /// The most octets of an answer.
    private static let answerOctetsMax = 64 * 1024 * 1024
    /// The most octets of a token's or a key's file.
    private static let secretOctetsMax = 64 * 1024
    private static let timeout: TimeAmount = .seconds(120)
    private static let importTimeout: TimeAmount = .hours(1)

    private let profile: ServerProfile
    private let http: HTTPClient
    private let token: String?

    /// Runs `body` with a client of that server, and closes it afterwards.
    static func with<Value>(
        _ options: ConnectionOptions,
        _ body: (OperatorClient) async throws -> Value
    ) async throws -> Value {
        let client = try OperatorClient(options.resolve())
        do {
            let value = try await body(client)
            try await client.http.shutdown()
            return value
        } catch {
            try? await client.http.shutdown()
            throw error
        }
    }

    private init(_ profile: ServerProfile) throws {
        self.profile = profile
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        do {
            if let caFile = profile.caFile {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(caFile))
            }
            switch profile.credential {
            case .certificate(let certificateFile, let keyFile):
                let chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
                tls.certificateChain = chain.map { .certificate($0) }
                let key = try SecretFile.read(path: keyFile, octetsMax: Self.secretOctetsMax)
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
                token = nil
            case .token(let file):
                let text = try SecretFile.read(path: file, octetsMax: Self.secretOctetsMax)
                token = String(decoding: text.prefix { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
            }
        } catch let error as SecretFileError {
            throw CommandFailure(.refused, "\(profile.origin): \(error)")
        } catch {
            throw CommandFailure(
                .refused,
                "\(profile.origin): a certificate or key it names cannot be read",
                hint: "each is a PEM file: \(profile.caFile ?? "the system's CAs"), \(profile.credential.files)"
            )
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.timeout = .init(connect: .seconds(10))
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        http = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            configuration: configuration
        )
    }

    /// Asks and reads the answer's body.
    func read<Body: Decodable>(
        _ type: Body.Type,
        _ operation: OperatorOperation,
        _ names: [String: String] = [:],
        query: [(String, String?)] = []
    ) async throws -> Body {
        try OperatorJSON.decode(type, from: await send(operation, names, query: query))
    }

    /// Writes a JSON body, or none, and reads the answer's.
    func write<Body: Decodable>(
        _ type: Body.Type,
        _ operation: OperatorOperation,
        _ names: [String: String] = [:],
        query: [(String, String?)] = [],
        body: (any Encodable & Sendable)?
    ) async throws -> Body {
        try OperatorJSON.decode(
            type,
            from: await send(operation, names, query: query, body: body.map { try OperatorJSON.encode($0) })
        )
    }

    /// The answer's octets. A write that a broken connection cut off is sent once more, under the same idempotency key.
    @discardableResult
    func send(
        _ operation: OperatorOperation,
        _ names: [String: String] = [:],
        query: [(String, String?)] = [],
        body: Data? = nil
    ) async throws -> Data {
        var request = request(operation, names, query: query)
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: body))
        }
        do {
            return try await answer(to: request, within: Self.timeout)
        } catch is HTTPClientError where operation.isWrite {
            return try await answer(to: request, within: Self.timeout)
        }
    }

    /// Sends registrations as they come, one JSON object a line.
    func upload(
        fleet: String,
        lines: some AsyncSequence<ByteBuffer, any Error> & Sendable
    ) async throws -> API.RegistrationCounts {
        var request = request(.importRegistrations, ["fleet": fleet], query: [])
        request.headers.add(name: "Content-Type", value: "application/x-ndjson")
        request.body = .stream(lines, length: .unknown)
        return try OperatorJSON.decode(
            API.RegistrationCounts.self,
            from: await answer(to: request, within: Self.importTimeout)
        )
    }

    private func request(
        _ operation: OperatorOperation,
        _ names: [String: String],
        query: [(String, String?)]
    ) -> HTTPClientRequest {
        var path = operation.path
        for (name, value) in names { path = path.replacing("{\(name)}", with: Self.encoded(value)) }
        let given = query.compactMap { name, value in value.map { "\(name)=\(Self.encoded($0))" } }
        let text = given.isEmpty ? "" : "?" + given.joined(separator: "&")
        var request = HTTPClientRequest(url: profile.url + OperatorOperation.root + path + text)
        request.method = HTTPMethod(rawValue: operation.method.rawValue)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if operation.isWrite { request.headers.add(name: "Idempotency-Key", value: UUID().uuidString.lowercased()) }
        return request
    }

    private func answer(to request: HTTPClientRequest, within timeout: TimeAmount) async throws -> Data {
        let status: Int
        let body: ByteBuffer
        do {
            let response = try await http.execute(request, timeout: timeout)
            status = Int(response.status.code)
            body = try await response.body.collect(upTo: Self.answerOctetsMax)
        } catch let error as HTTPClientError {
            throw error == .remoteConnectionClosed ? error : unreachable("\(error)")
        } catch let error as NIOSSLError {
            throw unreachable("TLS: \(error)")
        } catch {
            throw unreachable("\(error)")
        }
        let data = Data(buffer: body)
        guard (200..<300).contains(status) else {
            if let problem = try? OperatorJSON.decode(API.Problem.self, from: data) { throw problem }
            throw CommandFailure(.refused, "the server answered \(status); is \(profile.url) an operator front?")
        }
        return data
    }

    private func unreachable(_ why: String) -> CommandFailure {
        CommandFailure(
            .unavailable,
            "\(profile.url) cannot be reached: \(why)",
            hint: "this address is from \(profile.origin)"
        )
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~")))
            ?? text
    }
}

extension ServerProfile.Credential {
    fileprivate var files: String {
        switch self {
        case .certificate(let certificateFile, let keyFile): "\(certificateFile), \(keyFile)"
        case .token(let file): file
        }
    }
}
