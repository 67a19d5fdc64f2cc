import ArgumentParser
import Foundation
import Glibc
import OperatorAPI

/// The options of every command that shows something.
struct OutputOptions: ParsableArguments {
    @Flag(help: "JSON as the API gives it.")
    var json = false
}

/// Prints for people, or JSON for programs.
enum CommandOutput {
    /// Colours only where somebody sees them.
    static let isColoured = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

    static func line(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
    static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    static func json(_ body: some Encodable) throws {
        let object = try JSONSerialization.jsonObject(with: OperatorJSON.encode(body), options: [.fragmentsAllowed])
        let data = try JSONSerialization.data(
            withJSONObject: object,
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed]
        )
        line(String(decoding: data, as: UTF8.self))
    }

    /// `2026-11-23 14:05:09Z`.
    static func time(_ date: Date?) -> String {
        guard let date else { return "-" }
        return date.formatted(.iso8601.dateTimeSeparator(.space))
    }

    /// A hash as a table shows it.
    static func short(_ hash: String?) -> String { hash.map { $0.count > 16 ? "\($0.prefix(12))…" : $0 } ?? "-" }

    /// A value that may be missing.
    static func text(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "-" }

    /// Name and value, a line each.
    static func pairs(_ pairs: [(String, String?)]) {
        let shown = pairs.compactMap { name, value in value.map { (name, $0) } }
        let width = shown.map(\.0.count).max() ?? 0
        for (name, value) in shown {
            let label = name.padding(toLength: width, withPad: " ", startingAt: 0)
            line("\(isColoured ? "\u{1B}[2m\(label)\u{1B}[0m" : label)  \(value)")
        }
    }
}

/// Columns of text, aligned.
struct TextTable {
    let headers: [String]
    var rows: [[String]] = []

    /// Words that deserve a look, and those that say all is well.
    private static let alarming: Set<String> = ["refused", "rejected", "revoked", "blocked", "expired", "removed"]
    private static let calm: Set<String> = ["issued", "valid", "approved", "repeated"]
    private static let waiting: Set<String> = ["pending", "marked"]

    func lines(isColoured: Bool) -> [String] {
        let widths = headers.indices.map { column in
            max(headers[column].count, rows.map { $0[column].count }.max() ?? 0)
        }
        func line(_ cells: [String], _ style: (String, String) -> String) -> String {
            cells.enumerated().map { column, cell in
                let isLast = column == cells.count - 1
                let padded = isLast ? cell : cell.padding(toLength: widths[column], withPad: " ", startingAt: 0)
                return style(cell, padded)
            }.joined(separator: "  ")
        }
        func styled(_ cell: String, _ padded: String) -> String {
            guard isColoured else { return padded }
            if Self.alarming.contains(cell) { return "\u{1B}[31m\(padded)\u{1B}[0m" }
            if Self.calm.contains(cell) { return "\u{1B}[32m\(padded)\u{1B}[0m" }
            if Self.waiting.contains(cell) { return "\u{1B}[33m\(padded)\u{1B}[0m" }
            return padded
        }
        let head = line(headers) { _, padded in isColoured ? "\u{1B}[2m\(padded)\u{1B}[0m" : padded }
        return [head] + rows.map { line($0, styled) }
    }

    func show() {
        for line in lines(isColoured: CommandOutput.isColoured) { CommandOutput.line(line) }
    }
}

/// The options of every listing.
struct ListingOptions: ParsableArguments {
    /// The most items that one command lists.
    static let itemsMax = 1_000_000
    static let pageMax = 1_000

    @Option(help: "How many to show.")
    var limit: Int = 100

    @Flag(help: "All of them, up to 1,000,000.")
    var all = false

    func validate() throws {
        guard (1...Self.itemsMax).contains(limit) else {
            throw ValidationError("--limit takes a number from 1 to \(Self.itemsMax)")
        }
    }

    /// Asks page by page.
    /// - Returns: The items, and whether there are more.
    func items<Item: Codable & Sendable>(
        _ type: Item.Type,
        from client: OperatorClient,
        _ operation: OperatorOperation,
        _ names: [String: String] = [:],
        query: [(String, String?)] = []
    ) async throws -> (items: [Item], isCut: Bool) {
        let wanted = all ? Self.itemsMax : limit
        var items: [Item] = []
        var cursor: String?
        while items.count < wanted {
            let page = try await client.read(
                API.Page<Item>.self,
                operation,
                names,
                query: query + [("limit", "\(min(Self.pageMax, wanted - items.count))"), ("cursor", cursor)]
            )
            items += page.items
            cursor = page.next
            if cursor == nil { break }
        }
        return (items, cursor != nil)
    }

    /// Asks, and shows a table or a JSON array.
    func show<Item: Codable & Sendable>(
        _ type: Item.Type,
        from client: OperatorClient,
        _ operation: OperatorOperation,
        _ names: [String: String] = [:],
        query: [(String, String?)] = [],
        json: Bool,
        columns: [(String, (Item) -> String)]
    ) async throws {
        let (items, isCut) = try await items(type, from: client, operation, names, query: query)
        if json { return try CommandOutput.json(items) }
        var table = TextTable(headers: columns.map(\.0))
        table.rows = items.map { item in columns.map { $0.1(item) } }
        if items.isEmpty { CommandOutput.note("none") } else { table.show() }
        if isCut { CommandOutput.note("there are more: --all, or a larger --limit, shows them") }
    }
}

/// The fleet that a command is about.
struct FleetOption: ParsableArguments {
    @Option(help: "The fleet's name.")
    var fleet: String
}
