import Agent
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import OpenSSL
import PKI

/// The public front over HTTP. What comes is signed; plain HTTP takes nothing from it.
struct HTTPPublicFront: PublicFront {
    /// For one document.
    private static let timeout: TimeAmount = .seconds(10)

    /// Without a `/` at the end.
    let url: String

    func trustStore(of fleet: FleetName, unless tag: String?) async throws -> Fetched {
        try await fetch("truststore/\(fleet).cms", unless: tag, octetsMax: TrustStoreMessage.octetsMax)
    }

    func revocationList(of authority: String, unless tag: String?) async throws -> Fetched {
        try await fetch("crl/\(authority).crl", unless: tag, octetsMax: RevocationList.octetsMax)
    }

    private func fetch(_ path: String, unless tag: String?, octetsMax: Int) async throws -> Fetched {
        var request = HTTPClientRequest(url: "\(url)/\(path)")
        // Proxies in between are to ask, too.
        request.headers.add(name: "Cache-Control", value: "no-cache")
        if let tag { request.headers.add(name: "If-None-Match", value: tag) }
        let response: HTTPClientResponse
        do { response = try await HTTPClient.shared.execute(request, timeout: Self.timeout) } catch {
            throw AgentProblem("\(url) is not reached: \(error)")
        }
        switch response.status {
        case .ok:
            let body = try await response.body.collect(upTo: octetsMax)
            return .document(Array(buffer: body), tag: response.headers.first(name: "ETag"))
        case .notModified: return .unchanged
        case .notFound: return .missing
        default: throw AgentProblem("\(url)/\(path) is answered \(response.status.code)")
        }
    }
}
