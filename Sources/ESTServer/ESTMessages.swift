import EST
import Enrollment
import NIOHTTP1

/// A request as it came, whole or as far as it was read.
struct ESTRequest: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// More than the bound; the rest was not read.
        case tooLarge
    }

    let head: HTTPRequestHead
    let body: Body
    let connection: ClientConnection

    /// The value of a header field, several joined as RFC 9110 section 5.3 has it.
    func field(_ name: String) -> String? {
        let values = head.headers[name]
        return values.count > 1 ? values.joined(separator: ", ") : values.first
    }
}

/// An answer: its length and its bytes are known, so that head and body leave as one TLS record.
struct ESTResponse: Sendable {
    var status: ESTStatus
    /// Without Content-Length, Date and Connection, which the connection adds.
    var fields: [(name: String, value: String)]
    var body: [UInt8]
    /// True if what the client still sends is of no use, and the connection ends.
    var closes = false
}
