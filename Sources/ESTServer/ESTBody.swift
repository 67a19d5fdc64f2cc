import EST
import Hummingbird
import NIOCore

/// Reads a request's body within bounds of size and time, whatever its Content-Length says.
enum ESTBody {
    struct Bounds: Sendable {
        let octetsMax: Int
        let timeout: Duration
    }

    enum Reading {
        case bytes([UInt8])
        case refused(ESTStatus, String)
    }

    static func read(_ request: Request, within bounds: Bounds) async -> Reading {
        if let text = request.headers[.contentLength], let length = Int(text), length > bounds.octetsMax {
            return tooLarge(bounds)
        }
        return await withTaskGroup(of: Reading?.self) { group in
            group.addTask {
                do {
                    let buffer = try await request.body.collect(upTo: bounds.octetsMax)
                    return .bytes(Array(buffer.readableBytesView))
                } catch is NIOTooManyBytesError {
                    return tooLarge(bounds)
                } catch {
                    return .refused(.badRequest, "the body did not arrive whole")
                }
            }
            group.addTask {
                try? await Task.sleep(for: bounds.timeout)
                return Task.isCancelled ? nil : .refused(.requestTimeout, "the body took too long")
            }
            defer { group.cancelAll() }
            for await reading in group {
                if let reading { return reading }
            }
            return .refused(.badRequest, "the body did not arrive")
        }
    }

    private static func tooLarge(_ bounds: Bounds) -> Reading {
        .refused(.contentTooLarge, "the body may have \(bounds.octetsMax) octets")
    }
}
