import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import OperatorAPI
import PKI
import SwiftASN1

/// The operator API as an operator's program speaks it who has a leak to deal with; each request on a connection of its
/// own.
struct OperatorFront: Sendable {
    /// Devices on one page; a page has to fit into an answer.
    private static let pageSize = 200
    private static let pagesMax = 1 + RevocationStorm.devicesMax / pageSize

    private let exchange: HTTPExchange
    private let tls: NIOSSLContext
    private let fleet: String

    /// The operator of dev.json.
    init(_ file: DevFile, fleet: String, group: any EventLoopGroup) throws {
        guard let url = file.urls.operator else {
            throw SimulatorError.devFile("dev.json has no urls.operator; nobody can be revoked without it")
        }
        exchange = HTTPExchange(group: group, endpoint: try LoopbackEndpoint(url: url))
        self.fleet = fleet
        tls = try Self.context(file)
    }

    /// The operator's TLS.
    static func context(_ file: DevFile) throws -> NIOSSLContext {
        let root = try PEMDocument(pemString: DevFile.text(of: file.files.root, named: "root"))
        let certificate = try DevFile.text(of: file.files.operatorCert, named: "operatorCert")
        let key = try DevFile.text(of: file.files.operatorKey, named: "operatorKey")
        return try SimulatedFleet.context(
            root: NIOSSLCertificate(bytes: root.derBytes, format: .der),
            chain: NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)),
            key: NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
        )
    }

    /// Makes a fleet, or brings it to its description.
    func apply(_ description: FleetDescription) async throws { _ = try await ask(.applyFleet, [:], body: description) }

    /// The agents that have told of themselves.
    func agents() async throws -> [API.Agent] {
        let page = try await ask(API.Page<API.Agent>.self, .listAgents)
        return page.items
    }

    /// Nobody comes in by that credential any more.
    /// - Parameter credential: SHA-256 of its certificate.
    func block(credential: String, comment: String) async throws {
        _ = try await ask(.blockCredential, ["credential": credential], body: API.Comment(comment: comment))
    }

    /// The devices that a credential let in.
    func devices(letInBy credential: String) async throws -> [API.Device] {
        var devices: [API.Device] = []
        var cursor: String?
        for _ in 0..<Self.pagesMax {
            var query = [("credential", credential), ("limit", "\(Self.pageSize)")]
            if let cursor { query.append(("cursor", cursor)) }
            let page = try await ask(API.Page<API.Device>.self, .listDevices, query: query)
            devices += page.items
            guard let next = page.next else { return devices }
            cursor = next
        }
        throw SimulatorError.operation("the credential let in more than \(RevocationStorm.devicesMax) devices")
    }

    /// Revokes a device for good.
    /// - Returns: When the request was on its way.
    func revoke(_ device: String, comment: String) async throws -> ContinuousClock.Instant {
        let answer = try await ask(
            .revokeDevice,
            ["device": device],
            body: API.RevocationOrder(reason: "keyCompromise", comment: comment)
        )
        return answer.asked
    }

    private func ask<Body: Decodable>(
        _ type: Body.Type,
        _ operation: OperatorOperation,
        query: [(String, String)] = []
    ) async throws -> Body {
        let answer = try await ask(operation, [:], query: query, body: nil)
        return try OperatorJSON.decode(type, from: Data(answer.body))
    }

    private func ask(
        _ operation: OperatorOperation,
        _ names: [String: String],
        query: [(String, String)] = [],
        body: (any Encodable & Sendable)?
    ) async throws -> HTTPAnswer {
        var path = OperatorOperation.root + operation.path.replacing("{fleet}", with: fleet)
        // DeviceIDs and hexadecimal: nothing that a URL would have to escape. Cursors may have.
        for (name, value) in names { path = path.replacing("{\(name)}", with: value) }
        let terms = query.map { "\($0.0)=\(Self.escaped($0.1))" }
        if !terms.isEmpty { path += "?" + terms.joined(separator: "&") }
        var fields = [("Accept", "application/json")]
        if operation.isWrite { fields.append(("Idempotency-Key", UUID().uuidString.lowercased())) }
        if body != nil { fields.append(("Content-Type", "application/json")) }
        let question = HTTPQuestion(
            method: HTTPMethod(rawValue: operation.method.rawValue),
            path: path,
            fields: fields,
            body: try body.map { Array(try OperatorJSON.encode($0)) } ?? []
        )
        let answer = try await exchange.ask(question, tls: tls)
        guard (200..<300).contains(answer.status) else {
            let problem = try? OperatorJSON.decode(API.Problem.self, from: Data(answer.body))
            throw SimulatorError.operation(
                "the operator API refused \(operation.rawValue): \(problem?.detail ?? "status \(answer.status)")"
            )
        }
        return answer
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }
}
