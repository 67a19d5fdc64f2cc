import Enrollment
import Foundation
import Hummingbird
import NIOCore
import OperatorAPI
import PKI

/// Reads an import as it comes: one device a line. A bad line spoils the whole, and is told by its number.
struct RegistrationImport: Sendable {
    /// Bounds of an import.
    static let octetsMax: Int64 = 1 << 30
    static let linesMax: Int64 = 5_000_000
    static let lineOctetsMax = 4 * 1024
    /// So many bad lines are told.
    static let faultsMax = 20
    /// So many lines go to the record at once.
    private static let batchMax = 1_000

    enum Form: Hashable, Sendable {
        /// One JSON object a line.
        case lines
        /// Comma-separated values with a header.
        case table

        init(_ request: Request) throws(API.Problem) {
            switch OperatorBody.mediaType(request) {
            case "application/x-ndjson": self = .lines
            case "text/csv": self = .table
            default: throw .mediaType("the body must be application/x-ndjson or text/csv; say so in Content-Type")
            }
        }
    }

    static let header = "device,key_sha256,idevid_sha256"

    let body: RequestBody
    let form: Form
    /// What Content-Length says.
    let declared: Int64?

    func feed(_ sink: @Sendable ([RegistrationLine]) async throws -> Void) async throws {
        guard declared ?? 0 <= Self.octetsMax else { throw Self.tooLarge }
        var reading = LineReading(form: form)
        var octets: Int64 = 0
        do {
            for try await buffer in body {
                octets += Int64(buffer.readableBytes)
                guard octets <= Self.octetsMax else { throw Self.tooLarge }
                try reading.take(buffer.readableBytesView)
                if reading.batch.count >= Self.batchMax { try await sink(reading.nextBatch()) }
            }
        } catch let error as NIOTooManyBytesError {
            throw API.Problem.unreadable("the body did not arrive whole: \(error)")
        }
        try reading.finish()
        let rest = reading.nextBatch()
        if !rest.isEmpty { try await sink(rest) }
    }

    static let tooLarge = API.Problem.tooLarge(
        "an import has at most \(octetsMax) octets and \(linesMax) lines of \(lineOctetsMax) octets; send it in parts"
    )
}

/// The lines of an import, from octets in pieces.
private struct LineReading {
    private let form: RegistrationImport.Form
    private(set) var batch: [RegistrationLine] = []
    private var line: [UInt8] = []
    private var number: Int64 = 0
    private var faults: [API.Problem.Fault] = []
    private var hasHeader = false

    init(form: RegistrationImport.Form) { self.form = form }

    mutating func nextBatch() -> [RegistrationLine] {
        defer { batch = [] }
        return batch
    }

    mutating func take(_ octets: some Collection<UInt8>) throws(API.Problem) {
        var rest = octets[...]
        while let end = rest.firstIndex(of: 0x0A) {
            try append(rest[..<end])
            try endLine()
            rest = rest[rest.index(after: end)...]
        }
        try append(rest)
    }

    mutating func finish() throws(API.Problem) {
        if !line.isEmpty { try endLine() }
        if form == .table, !hasHeader, faults.isEmpty { fault("must be \(RegistrationImport.header)", line: 1) }
        guard faults.isEmpty else { throw .invalid(faults) }
    }

    private mutating func append(_ octets: some Collection<UInt8>) throws(API.Problem) {
        guard line.count + octets.count <= RegistrationImport.lineOctetsMax else {
            fault("has more than \(RegistrationImport.lineOctetsMax) octets", line: number + 1)
            throw .invalid(faults)
        }
        line.append(contentsOf: octets)
    }

    private mutating func endLine() throws(API.Problem) {
        number += 1
        guard number <= RegistrationImport.linesMax else { throw RegistrationImport.tooLarge }
        if line.last == 0x0D { line.removeLast() }
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else { return }
        if form == .table, !hasHeader {
            hasHeader = true
            if String(decoding: line, as: UTF8.self) != RegistrationImport.header {
                fault("must be \(RegistrationImport.header)", line: number)
                throw .invalid(faults)
            }
            return
        }
        switch form {
        case .lines: readObject()
        case .table: readRow()
        }
        // What comes after a bad line is read for its faults alone.
        if !faults.isEmpty { batch = [] }
        guard faults.count < RegistrationImport.faultsMax else { throw .invalid(faults) }
    }

    private mutating func fault(_ reason: String, line: Int64) {
        faults.append(API.Problem.Fault(at: "line \(line)", reason: reason))
    }

    private static let members: Set<String> = ["device", "keySHA256", "idevidSHA256"]

    private mutating func readObject() {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else {
            fault("is no JSON object", line: number)
            return
        }
        for name in object.keys.sorted() where !Self.members.contains(name) || !(object[name] is String) {
            let isKnown = Self.members.contains(name)
            fault(isKnown ? "\(name) must be text" : "\(name.plainWord) is not known here", line: number)
            return
        }
        guard let device = object["device"] as? String else {
            fault("device is missing", line: number)
            return
        }
        take(device, key: object["keySHA256"] as? String, idevid: object["idevidSHA256"] as? String)
    }

    private mutating func readRow() {
        let fields = line.split(separator: 0x2C, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard fields.count == 3 else {
            fault("has \(fields.count) fields, not 3", line: number)
            return
        }
        take(fields[0], key: fields[1].isEmpty ? nil : fields[1], idevid: fields[2].isEmpty ? nil : fields[2])
    }

    private mutating func take(_ name: String, key: String?, idevid: String?) {
        guard let device = DeviceID(name) else {
            fault("device must be 1 to 40 of A-Z a-z 0-9 . _ -", line: number)
            return
        }
        var found = FaultList()
        let registration = found.registration(key: key, idevid: idevid)
        if let first = found.faults.first {
            fault("\(first.at) \(first.reason)", line: number)
        } else {
            batch.append(RegistrationLine(device: device, registration: registration))
        }
    }
}
