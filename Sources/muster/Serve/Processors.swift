import Foundation
import NIOCore

/// The processors that this process may use.
enum Processors {
    /// How many: no more than the container allows, nor than taskset(1) left; at least one. A loop that shares its
    /// processor with another only waits for it.
    static var available: Int {
        max(1, min(allowed ?? System.coreCount, System.coreCount))
    }

    /// proc(5), status: a list as in `0-3,8`.
    private static var allowed: Int? {
        guard let status = FileManager.default.contents(atPath: "/proc/self/status") else { return nil }
        let key = "Cpus_allowed_list:"
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(key) }
        guard let list = line?.dropFirst(key.count).trimmingCharacters(in: .whitespaces) else { return nil }
        return list.split(separator: ",").reduce(0) { count, range in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last else { return count }
            return count + last - first + 1
        }
    }
}
