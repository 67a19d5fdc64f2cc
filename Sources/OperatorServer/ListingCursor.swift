import Crypto
import Foundation
import OperatorAPI
import PKI

/// Where a page ended. It travels as base64url of a small JSON text, which clients hand back as it is; it holds for its
/// listing and its filters alone.
struct ListingCursor: Codable, Hashable, Sendable {
    private static let octetsMax = 512

    /// Which listing, with which filters.
    private var of: String
    /// The name where the page ended.
    private(set) var text: String?
    /// The number where it ended.
    private(set) var number: Int64?
    /// The time where it ended, in microseconds since 1970.
    private var time: Int64?

    var date: Date? { time.map { Date(timeIntervalSince1970: Double($0) / 1_000_000) } }

    /// The end of a page of `call`'s listing.
    init(_ call: OperatorCall, text: String? = nil, number: Int64? = nil, time: Date? = nil) {
        of = Self.listing(call)
        self.text = text
        self.number = number
        self.time = time.map { Int64(($0.timeIntervalSince1970 * 1_000_000).rounded()) }
    }

    /// The cursor that a request came with, or nil if it asks for the first page.
    static func read(_ call: OperatorCall) throws(API.Problem) -> ListingCursor? {
        guard let given = call.query.values["cursor"] else { return nil }
        guard let cursor = decode(given) else { throw .parameter("cursor", "is not one that a page gave") }
        guard cursor.of == listing(call) else {
            throw .parameter("cursor", "is of another listing or of other filters; begin again without it")
        }
        return cursor
    }

    var encoded: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return ((try? encoder.encode(self)) ?? Data()).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func decode(_ given: String) -> ListingCursor? {
        guard (1...octetsMax).contains(given.utf8.count) else { return nil }
        let padding = String(repeating: "=", count: (4 - given.utf8.count % 4) % 4)
        let base64 = given.replacing("-", with: "+").replacing("_", with: "/") + padding
        guard let data = Data(base64Encoded: base64),
            let cursor = try? JSONDecoder().decode(ListingCursor.self, from: data),
            cursor.text.map({ $0.isPlain }) ?? true, cursor.date.map(ReadableTime.contains) ?? true,
            // One text a cursor: what was not written here is not read.
            cursor.encoded == given
        else { return nil }
        return cursor
    }

    private static let listingOctets = 12

    private static func listing(_ call: OperatorCall) -> String {
        var hash = SHA256()
        func add(_ text: String) {
            hash.update(data: Data("\(text.utf8.count):".utf8))
            hash.update(data: Data(text.utf8))
        }
        add(call.operation.rawValue)
        for (name, value) in call.parameters.sorted(by: { $0.key < $1.key }) {
            add(name)
            add(value)
        }
        for (name, value) in call.query.values.sorted(by: { $0.key < $1.key })
        where name != "cursor" && name != "limit" {
            add(name)
            add(value)
        }
        return Hex.text(hash.finalize().prefix(listingOctets))
    }
}
