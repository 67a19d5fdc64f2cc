import ArgumentParser
import Foundation
import OperatorAPI

/// Many devices of a fleet at once: what all of these say, or those of a file.
struct DeviceGroup: ParsableArguments {
    /// The most devices that one command handles.
    static let devicesMax = 1_000_000
    /// The most octets of a file of DeviceIDs.
    private static let fileOctetsMax = 64 * 1024 * 1024
    private static let pageSize = 1_000
    /// So many names that are no device's are told.
    private static let unknownShown = 20

    @Flag(help: "Many devices: all of the fleet, or those that all further options say.") var all = false
    @Option(help: "Those that this bootstrap credential let in (SHA-256).") var credential: String?
    @Option(help: "Those that a credential of this anchor let in.") var anchor: String?
    @Option(help: "Those whose names begin so.") var prefix: String?
    @Option(help: "Those first enrolled at or after this time (2027-01-31T12:00:00Z).") var enrolledFrom: String?
    @Option(help: "Those first enrolled before this time.") var enrolledUntil: String?
    @Option(help: "Those whose certificate this issuer signed.") var issuer: String?
    @Option(help: "Those in this state: valid, expired, held, revoked or cleared.") var state: String?
    @Option(help: "Those whose present certificate was first used at or after this time.") var usedFrom: String?
    @Option(help: "Those whose present certificate was first used before this time, or never.") var usedUntil: String?
    @Option(help: "Those of whom was heard last (device show) at or after this time.") var seenFrom: String?
    @Option(help: "Those of whom was heard last before this time.") var seenUntil: String?
    @Option(help: "Those of this file, a DeviceID a line; # begins a comment.", completion: .file()) var file: String?

    var isGiven: Bool {
        all || file != nil
            || [
                credential, anchor, prefix, enrolledFrom, enrolledUntil, issuer, state, usedFrom, usedUntil, seenFrom,
                seenUntil,
            ].contains { $0 != nil }
    }

    func validate() throws {
        guard isGiven else { return }
        let selections = [credential, prefix, enrolledFrom ?? enrolledUntil].count { $0 != nil }
        guard selections <= 1 else {
            throw ValidationError("choose one of --credential, --prefix and --enrolled-from or --enrolled-until")
        }
        if file != nil, isGivenBesideFile { throw ValidationError("--file stands alone") }
        let states = ["valid", "expired", "held", "revoked", "cleared"]
        if let state, !states.contains(state) {
            throw ValidationError("--state is one of \(states.joined(separator: ", "))")
        }
        for (name, text) in [
            ("used-from", usedFrom), ("used-until", usedUntil), ("seen-from", seenFrom), ("seen-until", seenUntil),
        ] {
            guard let text else { continue }
            guard Self.time(text) != nil else {
                throw ValidationError("--\(name) must be a time such as 2027-01-31T12:00:00Z")
            }
        }
    }

    private var isGivenBesideFile: Bool {
        var other = self
        other.file = nil
        return other.isGiven
    }

    static func time(_ text: String) -> Date? { try? Date(text, strategy: .iso8601) }

    /// The devices, each once, by name; from the record as it is now.
    func devices(of fleet: String, _ client: OperatorClient) async throws -> [API.Device] {
        if let file { return try await devices(of: fleet, named: try Self.names(in: file), client) }
        var found: [API.Device] = []
        var cursor: String?
        // As many pages as there may be devices, and the one that says that there are no more.
        for _ in 0...(Self.devicesMax / Self.pageSize) {
            let page = try await client.read(
                API.Page<API.Device>.self,
                .listDevices,
                ["fleet": fleet],
                query: [
                    ("credential", credential?.lowercased()), ("prefix", prefix), ("enrolledFrom", enrolledFrom),
                    ("enrolledUntil", enrolledUntil), ("limit", "\(Self.pageSize)"), ("cursor", cursor),
                ]
            )
            found += page.items.filter(isMeant)
            guard let next = page.next else { return found }
            cursor = next
        }
        throw CommandFailure(.refused, "these are more than \(Self.devicesMax) devices; choose fewer")
    }

    /// What the server's selection does not say.
    private func isMeant(_ device: API.Device) -> Bool {
        if let anchor, device.firstAnchor != anchor { return false }
        if let issuer, device.issuer != issuer { return false }
        if let state, device.state != state { return false }
        if let from = usedFrom.flatMap(Self.time) {
            guard let used = device.usedAt, used >= from else { return false }
        }
        if let until = usedUntil.flatMap(Self.time), let used = device.usedAt, used >= until { return false }
        if let from = seenFrom.flatMap(Self.time), device.seenAt < from { return false }
        if let until = seenUntil.flatMap(Self.time), device.seenAt >= until { return false }
        return true
    }

    private func devices(
        of fleet: String,
        named names: [String],
        _ client: OperatorClient
    ) async throws -> [API.Device] {
        let progress = ProgressLine("looking up", octets: names.count)
        var found: [API.Device] = []
        var unknown: [String] = []
        for (index, name) in names.enumerated() {
            do {
                found.append(try await client.read(API.Device.self, .getDevice, ["fleet": fleet, "device": name]))
            } catch let problem as API.Problem where [400, 404].contains(problem.status) {
                unknown.append("\(name): \(problem.detail)")
            }
            progress.update(index + 1)
        }
        progress.end()
        guard unknown.isEmpty else {
            throw Self.unknown(unknown.count, of: names, fleet: fleet, Array(unknown.prefix(Self.unknownShown)))
        }
        return found
    }

    /// - Parameter faults: The first of the unknown names, and why each is.
    static func unknown(_ count: Int, of names: [String], fleet: String, _ faults: [String]) -> CommandFailure {
        CommandFailure(
            .refused,
            "\(count) of \(names.count) names are no device's of the fleet \(fleet); nothing was done",
            faults: faults,
            hint: "take them out of the file"
        )
    }

    /// Each once, sorted.
    static func names(in file: String) throws -> [String] {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        guard let size = attributes?[.size] as? Int, let data = FileManager.default.contents(atPath: file) else {
            throw CommandFailure(.refused, "\(file) cannot be read")
        }
        guard size <= fileOctetsMax else {
            throw CommandFailure(.refused, "\(file) has more than \(fileOctetsMax) octets")
        }
        let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
        let names = lines.map { $0.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        guard names.count <= devicesMax else {
            throw CommandFailure(.refused, "\(file) names more than \(devicesMax) devices")
        }
        return Set(names).sorted()
    }
}
