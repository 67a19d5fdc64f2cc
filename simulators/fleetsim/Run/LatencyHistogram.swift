/// Durations in buckets whose width grows with the duration: 32 a power of two, so that a percentile is off by 3 % at
/// most, whatever the number of devices. Pure.
struct LatencyHistogram: Sendable {
    private static let perPowerOfTwo = 32
    private static let powers = 40

    /// Buckets of microseconds.
    private var buckets = [Int](repeating: 0, count: perPowerOfTwo * powers)
    private(set) var count = 0
    /// The longest, exactly.
    private(set) var max: Duration = .zero

    mutating func record(_ duration: Duration) {
        buckets[Self.bucket(Self.microseconds(duration))] += 1
        count += 1
        max = Swift.max(max, duration)
    }

    /// Adds all durations of another.
    mutating func add(_ other: LatencyHistogram) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        count += other.count
        max = Swift.max(max, other.max)
    }

    /// The duration that `fraction` (0 to 1) of all are not above; nil if there is none.
    func percentile(_ fraction: Double) -> Duration? {
        guard count > 0 else { return nil }
        let rank = Swift.max(1, Int((fraction * Double(count)).rounded(.up)))
        var seen = 0
        for (index, bucketCount) in buckets.enumerated() where bucketCount > 0 {
            seen += bucketCount
            if seen >= rank { return Swift.min(.microseconds(Self.upperBound(index)), max) }
        }
        return max
    }

    /// Which share of all was done after how many milliseconds: a point for each bucket that has something.
    var distribution: [CurveReport.Point] {
        var seen = 0
        return buckets.enumerated().compactMap { index, bucketCount in
            guard bucketCount > 0 else { return nil }
            seen += bucketCount
            let time = Swift.min(.microseconds(Self.upperBound(index)), max)
            return CurveReport.Point(x: time.milliseconds, y: Double(seen) / Double(count))
        }
    }

    private static func microseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return Swift.max(0, Swift.min(seconds, 1 << 20) * 1_000_000 + attoseconds / 1_000_000_000_000)
    }

    private static func bucket(_ microseconds: Int64) -> Int {
        let width = Int64(perPowerOfTwo)
        guard microseconds >= width else { return Int(microseconds) }
        let shift = Int64.bitWidth - 1 - microseconds.leadingZeroBitCount - 5
        let index = (shift + 1) * perPowerOfTwo + Int(microseconds >> Int64(shift) - width)
        return Swift.min(index, perPowerOfTwo * powers - 1)
    }

    private static func upperBound(_ index: Int) -> Int64 {
        guard index >= perPowerOfTwo else { return Int64(index) }
        let shift = Int64(index / perPowerOfTwo - 1)
        return (Int64(perPowerOfTwo + index % perPowerOfTwo) + 1) << shift - 1
    }
}
