/// A dictionary that forgets what was not asked for lately, once it holds too much.
package struct BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// How many entries each half holds; there are never more than twice as many.
    private let halfMax: Int
    private var present: [Key: Value] = [:]
    private var past: [Key: Value] = [:]

    /// - Parameter halfMax: How many entries are kept at least; twice as many at most.
    package init(halfMax: Int = 8_192) { self.halfMax = halfMax }

    /// The value of a key, which counts as asked for.
    package subscript(key: Key) -> Value? {
        mutating get {
            if let value = present[key] { return value }
            guard let value = past[key] else { return nil }
            self[key] = value
            return value
        }
        set {
            if present.count >= halfMax, present[key] == nil { (past, present) = (present, [:]) }
            present[key] = newValue
            if newValue == nil { past[key] = nil }
        }
    }
}
