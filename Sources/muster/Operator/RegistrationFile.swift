import Foundation
import OperatorAPI
import PKI

/// A file of registrations: CSV with the header `device,key_sha256,idevid_sha256` (the last two may be left out), or one
/// JSON object a line. Read in pieces, however large it is.
struct RegistrationFile: Sendable {
    /// The longest line, in octets.
    static let lineOctetsMax = 4_096
    /// The most lines.
    static let linesMax = 5_000_000
    private static let chunkOctets = 1 << 20

    /// How lines are written.
    enum Form: Equatable, Sendable {
        /// The columns' order.
        case csv([Column])
        case jsonLines
    }

    enum Column: String, Sendable {
        case device
        case key = "key_sha256"
        case idevid = "idevid_sha256"
    }

    /// A line that cannot be taken.
    struct Fault: Error, Equatable, Sendable {
        let line: Int
        let reason: String
    }

    let path: String
    let octets: Int

    init(_ path: String) throws {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            attributes[.type] as? FileAttributeType == .typeRegular, let size = attributes[.size] as? Int
        else { throw CommandFailure(.refused, "\(path) is no file that can be read") }
        self.path = path
        octets = size
    }

    /// Calls `body` for each registration, or for what is wrong with its line. Empty lines are passed over.
    /// - Parameter onProgress: Told how many octets were read, now and then.
    func forEach(
        onProgress: (Int) -> Void = { _ in },
        _ body: (_ line: Int, Result<API.RegistrationLine, Fault>) throws -> Void
    ) throws {
        var reader = try RegistrationFileReader(self)
        while let batch = try reader.next() {
            for (line, result) in batch { try body(line, result) }
            onProgress(reader.octetsRead)
        }
    }
}

/// Goes through a file once, a piece at a time.
struct RegistrationFileReader {
    private static let chunkOctets = 1 << 20

    private let handle: FileHandle
    private let path: String
    private var form: RegistrationFile.Form?
    private var rest: [UInt8] = []
    private var line = 0
    private var isAtEnd = false
    private(set) var octetsRead = 0

    init(_ file: RegistrationFile) throws {
        guard let handle = FileHandle(forReadingAtPath: file.path) else {
            throw CommandFailure(.refused, "\(file.path) cannot be read")
        }
        self.handle = handle
        path = file.path
    }

    /// The registrations of the next piece, each with its line's number; nil at the end.
    mutating func next() throws -> [(Int, Result<API.RegistrationLine, RegistrationFile.Fault>)]? {
        guard !isAtEnd else { return nil }
        let chunk = try handle.read(upToCount: Self.chunkOctets) ?? Data()
        octetsRead += chunk.count
        isAtEnd = chunk.isEmpty
        var found: [(Int, Result<API.RegistrationLine, RegistrationFile.Fault>)] = []
        var pending = rest
        rest = []
        for byte in chunk {
            if byte == 0x0A {
                try take(pending, into: &found)
                pending.removeAll(keepingCapacity: true)
            } else if pending.count <= RegistrationFile.lineOctetsMax {
                pending.append(byte)
            }
        }
        if isAtEnd { if !pending.isEmpty { try take(pending, into: &found) } } else { rest = pending }
        return found
    }

    private mutating func take(
        _ octets: [UInt8],
        into found: inout [(Int, Result<API.RegistrationLine, RegistrationFile.Fault>)]
    ) throws {
        line += 1
        guard line <= RegistrationFile.linesMax + 1 else {
            throw CommandFailure(.refused, "\(path) has more than \(RegistrationFile.linesMax) lines; split it")
        }
        var octets = octets[...]
        if line == 1, octets.starts(with: [0xEF, 0xBB, 0xBF]) { octets = octets.dropFirst(3) }
        while let last = octets.last, last == 0x0D || last == 0x20 || last == 0x09 { octets.removeLast() }
        guard !octets.isEmpty else { return }
        guard octets.count < RegistrationFile.lineOctetsMax else {
            found.append((line, .failure(.init(line: line, reason: "the line is longer than any registration"))))
            return
        }
        guard let form else {
            form = try Self.form(of: octets, path: path)
            if form == .jsonLines { found.append((line, parse(octets, .jsonLines))) }
            return
        }
        found.append((line, parse(octets, form)))
    }

    private static func form(of octets: ArraySlice<UInt8>, path: String) throws -> RegistrationFile.Form {
        if octets.first == UInt8(ascii: "{") { return .jsonLines }
        let names = fields(octets)
        let columns = names.compactMap { RegistrationFile.Column(rawValue: $0) }
        guard columns.count == names.count, columns.first == .device, Set(columns).count == columns.count else {
            throw CommandFailure(
                .refused,
                "\(path):1: this is neither JSON lines nor the header of a CSV",
                hint: "begin a CSV with the line: device,key_sha256,idevid_sha256 (the last two may be left out)"
            )
        }
        return .csv(columns)
    }

    private static func fields(_ octets: ArraySlice<UInt8>) -> [String] {
        octets.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { field in
            var field = field
            while let first = field.first, first == 0x20 { field = field.dropFirst() }
            while let last = field.last, last == 0x20 { field = field.dropLast() }
            // No value of ours holds a quote or a comma, so quotes only stand around (RFC 4180 section 2).
            if field.count >= 2, field.first == UInt8(ascii: "\""), field.last == UInt8(ascii: "\"") {
                field = field.dropFirst().dropLast()
            }
            return String(decoding: field, as: UTF8.self)
        }
    }

    private func parse(
        _ octets: ArraySlice<UInt8>,
        _ form: RegistrationFile.Form
    ) -> Result<API.RegistrationLine, RegistrationFile.Fault> {
        let entry: API.RegistrationLine
        switch form {
        case .jsonLines:
            do throws(DocumentFault) {
                entry = try OperatorJSON.decodeStrictly(API.RegistrationLine.self, from: Data(octets))
            } catch {
                return .failure(.init(line: line, reason: "\(error)"))
            }
        case .csv(let columns):
            let values = Self.fields(octets)
            guard values.count == columns.count else {
                return .failure(
                    .init(line: line, reason: "has \(values.count) fields where the header has \(columns.count)")
                )
            }
            var found = API.RegistrationLine(device: "")
            for (column, value) in zip(columns, values) {
                switch column {
                case .device: found.device = value
                case .key: found.keySHA256 = value.isEmpty ? nil : value
                case .idevid: found.idevidSHA256 = value.isEmpty ? nil : value
                }
            }
            entry = found
        }
        if let reason = Self.defect(of: entry) { return .failure(.init(line: line, reason: reason)) }
        return .success(
            API.RegistrationLine(
                device: entry.device,
                keySHA256: entry.keySHA256?.lowercased(),
                idevidSHA256: entry.idevidSHA256?.lowercased()
            )
        )
    }

    private static func defect(of entry: API.RegistrationLine) -> String? {
        guard DeviceID(entry.device) != nil else {
            return "'\(entry.device.prefix(60))' is no DeviceID: 1 to 40 of A-Z a-z 0-9 . _ -"
        }
        for (name, value) in [("key_sha256", entry.keySHA256), ("idevid_sha256", entry.idevidSHA256)] {
            guard let value else { continue }
            guard value.utf8.count == 64, value.utf8.allSatisfy({ $0.isHexDigit }) else {
                return "\(name) must be 64 hexadecimal digits, or nothing"
            }
        }
        return nil
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x46).contains(self) || (0x61...0x66).contains(self)
    }
}
