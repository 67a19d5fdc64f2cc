import Foundation
import NIOCore
import NIOSSL
import OperatorAPI
import SwiftASN1

/// The operator of dev.json, on connections that stay open; also as the gateway that asks whether devices may in.
struct BenchOperator: Sendable {
    private let endpoint: LoopbackEndpoint
    private let tls: NIOSSLContext
    private let fleet: String

    /// As nginx escapes a certificate in a header (`$ssl_client_escaped_cert`).
    private static let unescaped = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))

    init(_ file: DevFile) throws {
        guard let url = file.urls.operator else { throw SimulatorError.devFile("dev.json has no urls.operator") }
        endpoint = try LoopbackEndpoint(url: url)
        tls = try OperatorFront.context(file)
        fleet = file.fleet
    }

    /// A connection over which one question was answered, so that its handshake belongs to no measurement.
    func connect(on loop: any EventLoop) async throws -> KeptConnection {
        let connection = try await KeptConnection.open(to: endpoint, tls: tls, on: loop)
        let answer = try await connection.ask(request(.getSelf, [:])).get()
        guard answer.status == 200 else {
            throw SimulatorError.operation("the operator API answered \(answer.status) to getSelf")
        }
        return connection
    }

    /// Revokes a device for good.
    func revocation(of device: String) throws -> ByteBuffer {
        let body = try OperatorJSON.encode(API.RevocationOrder(reason: "keyCompromise", comment: "measured"))
        let fields = [
            "Content-Type: application/json", "Content-Length: \(body.count)", "Idempotency-Key: \(UUID().uuidString)",
        ]
        return request(.revokeDevice, ["device": device], fields: fields, body: body)
    }

    /// The first page of the devices that are selected so.
    func devices(where parameter: String, is value: String) -> ByteBuffer {
        // DeviceIDs and hexadecimal: nothing that a URL would have to escape.
        request(.listDevices, [:], query: "?\(parameter)=\(value)")
    }

    /// Whether the device that showed this certificate may in, as nginx asks.
    func question(on certificate: [UInt8]) -> ByteBuffer {
        let pem = PEMDocument(type: "CERTIFICATE", derBytes: certificate).pemString + "\n"
        let text = pem.addingPercentEncoding(withAllowedCharacters: Self.unescaped) ?? ""
        return ByteBuffer(
            string: "GET /authorize HTTP/1.1\r\nHost: \(endpoint.hostField)\r\nX-SSL-Client-Cert: \(text)\r\n\r\n"
        )
    }

    private func request(
        _ operation: OperatorOperation,
        _ names: [String: String],
        query: String = "",
        fields: [String] = [],
        body: Data = Data()
    ) -> ByteBuffer {
        var path = OperatorOperation.root + operation.path.replacing("{fleet}", with: fleet)
        for (name, value) in names { path = path.replacing("{\(name)}", with: value) }
        let head = ["\(operation.method.rawValue) \(path)\(query) HTTP/1.1", "Host: \(endpoint.hostField)"] + fields
        var buffer = ByteBuffer(string: head.joined(separator: "\r\n") + "\r\n\r\n")
        buffer.writeBytes(body)
        return buffer
    }
}
