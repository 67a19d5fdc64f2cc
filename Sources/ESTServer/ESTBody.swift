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
        case tooLarge
        case tooSlow
        /// The client went away, or sent what is no HTTP.
        case incomplete
    }

    static func read(_ request: Request, within bounds: Bounds) async -> Reading {
        if let text = request.headers[.contentLength], let length = Int(text), length > bounds.octetsMax {
            return .tooLarge
        }
        return await withTaskGroup(of: Reading?.self) { group in
            group.addTask {
                do {
                    let buffer = try await request.body.collect(upTo: bounds.octetsMax)
                    return .bytes(Array(buffer.readableBytesView))
                } catch is NIOTooManyBytesError {
                    return .tooLarge
                } catch {
                    return .incomplete
                }
            }
            group.addTask {
                try? await Task.sleep(for: bounds.timeout)
                return Task.isCancelled ? nil : .tooSlow
            }
            defer { group.cancelAll() }
            for await reading in group {
                if let reading { return reading }
            }
            return .incomplete
        }
    }
}
