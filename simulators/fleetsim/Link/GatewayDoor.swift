import NIOCore
import NIOHTTP1
import NIOSSL

/// A gateway of the fleet, which takes its devices by their operational certificates: nginx, HAProxy.
struct GatewayDoor: Sendable {
    /// What gateways answer to a certificate that they do not take; 495 and 496 are nginx's own, told as 400.
    private static let refusals: Set<Int> = [400, 401, 403, 495, 496]

    private let exchange: HTTPExchange

    init(_ url: String, group: any EventLoopGroup) throws {
        exchange = HTTPExchange(group: group, endpoint: try LoopbackEndpoint(url: url))
    }

    /// Asks once, on a connection of its own.
    func ask(tls: NIOSSLContext) async throws -> ServiceAnswer {
        let question = HTTPQuestion(method: .GET, path: "/", fields: [], body: [])
        do {
            let answer = try await exchange.ask(question, tls: tls)
            if (200..<300).contains(answer.status) { return .served }
            return Self.refusals.contains(answer.status) ? .refused : .unclear("status \(answer.status)")
        } catch let error as CancellationError {
            throw error
        } catch  where error is NIOSSLError || error is BoringSSLError {
            return .refused
        } catch {
            return .unclear(FailureReason.text(error))
        }
    }
}

/// What a device was told that asked for service.
enum ServiceAnswer: Hashable, Sendable {
    case served
    case refused
    /// Neither: it was too busy, away, or broken.
    case unclear(String)
}
