/// The most elements that one bound or read array may have; the server's own bound is 1 GB a value.
let arrayElementsMax = 1 << 24

// A Swift array of bytes is one `bytea`; every other is a PostgreSQL array of one dimension.
extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package static var postgresType: PostgresType { Element.postgresArrayType }

    package func encode(into bytes: inout [UInt8]) { Element.encode(array: self, into: &bytes) }
}

extension Array: PostgresDecodable where Element: PostgresArrayDecodable {
    package static func accepts(_ type: PostgresType) -> Bool { Element.acceptsArray(type) }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        guard let array = Element.decodeArray(bytes, type: type) else { return nil }
        self = array
    }
}

extension UInt8: PostgresArrayElement, PostgresArrayDecodable {
    package static var postgresArrayType: PostgresType { .bytea }

    package static func encode(array: [Self], into bytes: inout [UInt8]) { bytes.append(contentsOf: array) }

    package static func acceptsArray(_ type: PostgresType) -> Bool { type == .bytea }

    package static func decodeArray(_ bytes: borrowing Span<UInt8>, type: PostgresType) -> [Self]? {
        unsafe bytes.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }
}

extension Array: PostgresArrayElement where Element == UInt8 {
    package static var postgresArrayType: PostgresType { .byteaArray }

    package static func encode(array: [Self], into bytes: inout [UInt8]) {
        ArrayForm.encode(array, elementType: .bytea, into: &bytes)
    }
}

extension Array: PostgresArrayDecodable where Element == UInt8 {
    package static func acceptsArray(_ type: PostgresType) -> Bool { type == .byteaArray }

    package static func decodeArray(_ bytes: borrowing Span<UInt8>, type: PostgresType) -> [Self]? {
        ArrayForm.decodeAll(bytes)
    }
}

extension Array: PostgresScalar where Element == UInt8 {}

extension PostgresScalar {
    package static func encode(array: [Self], into bytes: inout [UInt8]) {
        ArrayForm.encode(array, elementType: postgresType, into: &bytes)
    }

    package static func acceptsArray(_ type: PostgresType) -> Bool {
        ArrayForm.elementType(of: type).map(accepts) ?? false
    }

    package static func decodeArray(_ bytes: borrowing Span<UInt8>, type: PostgresType) -> [Self]? {
        ArrayForm.decodeAll(bytes)
    }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresScalar {
    package static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }

    package static func encode(array: [Self], into bytes: inout [UInt8]) {
        ArrayForm.encode(array, elementType: Wrapped.postgresType, into: &bytes)
    }
}

extension Optional: PostgresArrayDecodable where Wrapped: PostgresScalar {
    package static func acceptsArray(_ type: PostgresType) -> Bool { Wrapped.acceptsArray(type) }

    package static func decodeArray(_ bytes: borrowing Span<UInt8>, type: PostgresType) -> [Self]? {
        ArrayForm.decode(bytes)
    }
}

/// The binary form of a one-dimensional array: dimensions, a flag for NULLs, the element type, then length and lower
/// bound of the dimension, then each element after its length (-1 is NULL).
private enum ArrayForm {
    static func encode<Element: PostgresScalar>(
        _ array: [Element],
        elementType: PostgresType,
        into bytes: inout [UInt8]
    ) {
        encodeHeader(count: array.count, elementType: elementType, into: &bytes)
        for element in array { encode(element, into: &bytes) }
    }

    static func encode<Element: PostgresScalar>(
        _ array: [Element?],
        elementType: PostgresType,
        into bytes: inout [UInt8]
    ) {
        let flagOffset = bytes.count + MemoryLayout<Int32>.size
        encodeHeader(count: array.count, elementType: elementType, into: &bytes)
        var hasNull = false
        for element in array {
            if let element {
                encode(element, into: &bytes)
            } else {
                hasNull = true
                bytes.appendBigEndian(Int32(-1))
            }
        }
        if hasNull { bytes.overwriteBigEndian(Int32(1), at: flagOffset) }
    }

    /// The elements, none of which may be NULL; nil if the bytes are not such an array.
    static func decodeAll<Element: PostgresScalar>(_ bytes: borrowing Span<UInt8>) -> [Element]? {
        guard let elements: [Element?] = decode(bytes) else { return nil }
        let present = elements.compactMap(\.self)
        return present.count == elements.count ? present : nil
    }

    static func decode<Element: PostgresScalar>(_ bytes: borrowing Span<UInt8>) -> [Element?]? {
        var offset = 0
        guard let dimensions = integer(bytes, at: &offset), integer(bytes, at: &offset) != nil,
            let elementOID = integer(bytes, at: &offset)
        else { return nil }
        if dimensions == 0 { return [] }
        let elementType = PostgresType(UInt32(bitPattern: elementOID))
        guard dimensions == 1, let count = integer(bytes, at: &offset), integer(bytes, at: &offset) != nil,
            count >= 0, count <= arrayElementsMax, Element.accepts(elementType)
        else { return nil }

        var elements: [Element?] = []
        // Each element takes four bytes at least, so a false count cannot make us reserve more than the bytes received.
        elements.reserveCapacity(min(Int(count), bytes.count / 4))
        for _ in 0..<count {
            guard let length = integer(bytes, at: &offset) else { return nil }
            if length < 0 {
                elements.append(nil)
                continue
            }
            guard bytes.count - offset >= Int(length) else { return nil }
            let end = offset + Int(length)
            guard let element = Element(postgresBytes: bytes.extracting(offset..<end), type: elementType) else {
                return nil
            }
            elements.append(element)
            offset = end
        }
        return elements
    }

    static func elementType(of array: PostgresType) -> PostgresType? {
        switch array {
        case .boolArray: .bool
        case .byteaArray: .bytea
        case .nameArray: .name
        case .int2Array: .int2
        case .int4Array: .int4
        case .int8Array: .int8
        case .textArray: .text
        case .varcharArray: .varchar
        case .float8Array: .float8
        case .timestamptzArray: .timestamptz
        case .uuidArray: .uuid
        case .jsonbArray: .jsonb
        default: nil
        }
    }

    /// The header of an array without NULLs.
    private static func encodeHeader(count: Int, elementType: PostgresType, into bytes: inout [UInt8]) {
        bytes.appendBigEndian(Int32(count == 0 ? 0 : 1))
        bytes.appendBigEndian(Int32(0))
        bytes.appendBigEndian(elementType.rawValue)
        if count > 0 {
            bytes.appendBigEndian(Int32(clamping: count))
            bytes.appendBigEndian(Int32(1))
        }
    }

    private static func encode(_ element: some PostgresScalar, into bytes: inout [UInt8]) {
        let lengthOffset = bytes.count
        bytes.appendBigEndian(Int32(0))
        element.encode(into: &bytes)
        bytes.overwriteBigEndian(Int32(clamping: bytes.count - lengthOffset - 4), at: lengthOffset)
    }

    private static func integer(_ bytes: borrowing Span<UInt8>, at offset: inout Int) -> Int32? {
        guard bytes.count - offset >= 4 else { return nil }
        let value = Int32(bigEndian: bytes.extracting(offset..<offset + 4))
        offset += 4
        return value
    }
}
