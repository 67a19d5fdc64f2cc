/// Which statements a connection has prepared, by their SQL and the types of their parameters. Pure: it decides names
/// and evictions, and sends nothing.
struct StatementCache {
    private struct Key: Hashable {
        var sql: String
        var types: [PostgresType]
    }

    private struct Entry {
        var name: String
        var lastUse: UInt64
    }

    /// What must be sent before a statement can be executed.
    enum Lookup: Equatable {
        case prepared(name: String)
        case prepare(name: String)
    }

    private let countMax: Int
    private var entries: [Key: Entry] = [:]
    private var uses: UInt64 = 0
    private var names: UInt64 = 0
    /// Names that the server still knows and that are to be deallocated.
    private(set) var evicted: [String] = []

    init(countMax: Int) { self.countMax = countMax }

    /// The name for a statement; a new name is counted as prepared from now on, until `forget`.
    mutating func lookUp(_ query: PostgresQuery) -> Lookup {
        uses += 1
        let key = Key(sql: query.sql, types: query.bindings.types)
        if let index = entries.index(forKey: key) {
            entries.values[index].lastUse = uses
            return .prepared(name: entries.values[index].name)
        }
        if entries.count >= countMax, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            entries[oldest.key] = nil
            evicted.append(oldest.value.name)
        }
        names += 1
        let name = "m\(names)"
        entries[key] = Entry(name: name, lastUse: uses)
        return .prepare(name: name)
    }

    /// The statement was not prepared after all, or its preparation is of no more use.
    /// - Parameter deallocate: True if the server may still know the name.
    mutating func forget(name: String, deallocate: Bool) {
        guard let index = entries.firstIndex(where: { $0.value.name == name }) else { return }
        entries.remove(at: index)
        if deallocate { evicted.append(name) }
    }

    /// The server has let go of the name.
    mutating func deallocated(name: String) { evicted.removeAll { $0 == name } }
}
