/// Numbers that follow from a seed and from what they are drawn for, and from nothing else: not from the machine, the
/// moment, or what was drawn before for another device. SplitMix64, which is fixed here so that no library's next version
/// plays another scenario.
struct SeededDraws: Sendable {
    private var state: UInt64

    /// - Parameter purpose: What is drawn; another purpose gives other numbers.
    init(seed: UInt64, purpose: String) {
        // FNV-1a, mixed with the seed.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for octet in purpose.utf8 { hash = (hash ^ UInt64(octet)) &* 0x0000_0100_0000_01b3 }
        state = Self.mixed(seed &+ 0x9e37_79b9_7f4a_7c15) ^ hash
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mixed(state)
    }

    /// A number of the range, each as likely as the others.
    mutating func integer(in range: ClosedRange<Int>) -> Int {
        let width = UInt64(range.upperBound - range.lowerBound) &+ 1
        guard width > 0 else { return Int(truncatingIfNeeded: next()) }
        return range.lowerBound + Int(next().multipliedFullWidth(by: width).high)
    }

    /// 0 to 1, without 1.
    mutating func fraction() -> Double { Double(next() >> 11) / Double(UInt64(1) << 53) }

    /// `count` different numbers of 1 to `total`, in rising order.
    mutating func choose(_ count: Int, of total: Int) -> [Int] {
        // Robert Floyd's: one draw for each that is chosen.
        var chosen: Set<Int> = []
        for last in max(total - count, 0)..<max(total, 0) {
            let drawn = integer(in: 0...last)
            chosen.insert(chosen.contains(drawn) ? last : drawn)
        }
        return chosen.map { $0 + 1 }.sorted()
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
