package import Foundation

extension Bool: PostgresScalar {
    package static var postgresType: PostgresType { .bool }
    package static var postgresArrayType: PostgresType { .boolArray }

    package func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }

    package static func accepts(_ type: PostgresType) -> Bool { type == .bool }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        guard bytes.count == 1 else { return nil }
        self = bytes[0] != 0
    }
}

extension Int16: PostgresScalar {
    package static var postgresType: PostgresType { .int2 }
    package static var postgresArrayType: PostgresType { .int2Array }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    package static func accepts(_ type: PostgresType) -> Bool { type == .int2 }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) { self.init(bigEndian: bytes) }
}

extension Int32: PostgresScalar {
    package static var postgresType: PostgresType { .int4 }
    package static var postgresArrayType: PostgresType { .int4Array }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    package static func accepts(_ type: PostgresType) -> Bool { type == .int4 || type == .int2 }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        switch type {
        case .int2:
            guard let value = Int16(bigEndian: bytes) else { return nil }
            self.init(value)
        default: self.init(bigEndian: bytes)
        }
    }
}

extension Int64: PostgresScalar {
    package static var postgresType: PostgresType { .int8 }
    package static var postgresArrayType: PostgresType { .int8Array }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }

    package static func accepts(_ type: PostgresType) -> Bool { type == .int8 || type == .int4 || type == .int2 }

    /// Narrower integers widen, so that a query need not cast them.
    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        switch type {
        case .int8: self.init(bigEndian: bytes)
        default:
            guard let value = Int32(postgresBytes: bytes, type: type) else { return nil }
            self.init(value)
        }
    }
}

extension Int: PostgresScalar {
    package static var postgresType: PostgresType { .int8 }
    package static var postgresArrayType: PostgresType { .int8Array }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(Int64(self)) }

    package static func accepts(_ type: PostgresType) -> Bool { Int64.accepts(type) }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        guard let value = Int64(postgresBytes: bytes, type: type) else { return nil }
        self.init(exactly: value)
    }
}

extension Double: PostgresScalar {
    package static var postgresType: PostgresType { .float8 }
    package static var postgresArrayType: PostgresType { .float8Array }

    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(bitPattern) }

    package static func accepts(_ type: PostgresType) -> Bool { type == .float8 }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        guard let bits = UInt64(bigEndian: bytes) else { return nil }
        self.init(bitPattern: bits)
    }
}

extension String: PostgresScalar {
    package static var postgresType: PostgresType { .text }
    package static var postgresArrayType: PostgresType { .textArray }

    package func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }

    package static func accepts(_ type: PostgresType) -> Bool {
        switch type {
        case .text, .varchar, .bpchar, .name: true
        default: false
        }
    }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        // The session's encoding is UTF-8, so the server has checked these bytes.
        self = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension UUID: PostgresScalar {
    package static var postgresType: PostgresType { .uuid }
    package static var postgresArrayType: PostgresType { .uuidArray }

    package func encode(into bytes: inout [UInt8]) {
        unsafe Swift.withUnsafeBytes(of: uuid) { unsafe bytes.append(contentsOf: $0) }
    }

    package static func accepts(_ type: PostgresType) -> Bool { type == .uuid }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        guard bytes.count == 16 else { return nil }
        self.init(
            uuid: (
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
                bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
            )
        )
    }
}

/// JSON text, bound and read as `jsonb`. The server checks that it is JSON, and may order keys anew.
package struct PostgresJSON: Hashable, Sendable {
    /// The document.
    package var text: String

    package init(text: String) { self.text = text }
}

extension PostgresJSON: PostgresScalar {
    package static var postgresType: PostgresType { .jsonb }
    package static var postgresArrayType: PostgresType { .jsonbArray }

    /// The version byte that precedes `jsonb` text on the wire.
    private static let version: UInt8 = 1

    package func encode(into bytes: inout [UInt8]) {
        bytes.append(Self.version)
        bytes.append(contentsOf: text.utf8)
    }

    package static func accepts(_ type: PostgresType) -> Bool { type == .jsonb || type == .json }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        var start = 0
        if type == .jsonb {
            guard bytes.count > 0, bytes[0] == Self.version else { return nil }
            start = 1
        }
        text = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0[start...], as: UTF8.self) }
    }
}
