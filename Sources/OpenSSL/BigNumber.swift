import COpenSSL

/// A non-negative integer of any size: the owner of one `BIGNUM`. For public values only: nothing here runs in constant
/// time, and nothing is wiped.
@safe struct BigNumber: ~Copyable {
    let pointer: OpaquePointer

    /// A small value.
    init(_ value: UInt = 0) throws(OpenSSLError) {
        ErrorQueue.clear()
        guard let made = unsafe BN_new() else { throw ErrorQueue.drain("make a number") }
        guard unsafe BN_set_word(made, value) == 1 else {
            unsafe BN_free(made)
            throw ErrorQueue.drain("make a number")
        }
        unsafe pointer = made
    }

    /// The value that these octets write, most significant first.
    init(bigEndian octets: [UInt8]) throws(OpenSSLError) {
        ErrorQueue.clear()
        guard let count = Int32(exactly: octets.count), let made = unsafe BN_bin2bn(octets, count, nil) else {
            throw ErrorQueue.drain("read a number")
        }
        unsafe pointer = made
    }

    deinit { unsafe BN_free(pointer) }

    /// How many bits the value has; 0 for zero.
    var bits: Int { Int(unsafe BN_num_bits(pointer)) }
    var isOdd: Bool { unsafe BN_is_odd(pointer) == 1 }
    var isOne: Bool { unsafe BN_is_one(pointer) == 1 }
    /// The octets of the value, most significant first.
    var bigEndian: [UInt8] {
        var octets = [UInt8](repeating: 0, count: (bits + 7) / 8)
        let written = unsafe BN_bn2bin(pointer, &octets)
        return Array(octets.prefix(Int(written)))
    }

    /// Below, equal to or above `other`, as less than, equal to or greater than 0.
    func compared(to other: borrowing BigNumber) -> Int { Int(unsafe BN_cmp(pointer, other.pointer)) }

    func copy() throws(OpenSSLError) -> BigNumber {
        let result = try BigNumber()
        try BigArithmetic.check(unsafe BN_copy(result.pointer, pointer) != nil)
        return result
    }

    mutating func add(_ other: borrowing BigNumber) throws(OpenSSLError) {
        try BigArithmetic.check(unsafe BN_add(pointer, pointer, other.pointer) == 1)
    }

    /// Takes away `other`, which is not above this.
    mutating func subtract(_ other: borrowing BigNumber) throws(OpenSSLError) {
        try BigArithmetic.check(unsafe BN_sub(pointer, pointer, other.pointer) == 1)
    }

    mutating func add(_ word: UInt) throws(OpenSSLError) {
        try BigArithmetic.check(unsafe BN_add_word(pointer, word) == 1)
    }

    mutating func multiply(by word: UInt) throws(OpenSSLError) {
        try BigArithmetic.check(unsafe BN_mul_word(pointer, word) == 1)
    }

    mutating func divide(by word: UInt) throws(OpenSSLError) {
        try BigArithmetic.check(unsafe BN_div_word(pointer, word) != UInt.max)
    }

    /// What remains after division by a word that is not 0.
    func remainder(by word: UInt) throws(OpenSSLError) -> UInt {
        let rest = unsafe BN_mod_word(pointer, word)
        try BigArithmetic.check(rest < word)
        return rest
    }
}

/// Calculations that need libcrypto's scratch space: the owner of one `BN_CTX`.
@safe struct BigArithmetic: ~Copyable {
    /// Newton's method for a root of exponent k takes about k steps to come near and then doubles the right bits.
    private static let newtonStepsMax = 1024

    private let context: OpaquePointer

    init() throws(OpenSSLError) {
        ErrorQueue.clear()
        guard let made = unsafe BN_CTX_new() else { throw ErrorQueue.drain("make space for numbers") }
        unsafe context = made
    }

    deinit { unsafe BN_CTX_free(context) }

    /// Turns a failed call into an error. Such calls fail for want of memory alone, and each number and calculation
    /// began with an empty queue.
    static func check(_ succeeded: Bool) throws(OpenSSLError) {
        guard succeeded else { throw ErrorQueue.drain("calculate") }
    }

    func remainder(
        of number: borrowing BigNumber,
        by divisor: borrowing BigNumber
    ) throws(OpenSSLError) -> BigNumber {
        let result = try BigNumber()
        try Self.check(unsafe BN_div(nil, result.pointer, number.pointer, divisor.pointer, context) == 1)
        return result
    }

    func greatestCommonDivisor(
        _ one: borrowing BigNumber,
        _ other: borrowing BigNumber
    ) throws(OpenSSLError) -> BigNumber {
        let result = try BigNumber()
        try Self.check(unsafe BN_gcd(result.pointer, one.pointer, other.pointer, context) == 1)
        return result
    }

    func square(_ number: borrowing BigNumber) throws(OpenSSLError) -> BigNumber {
        let result = try BigNumber()
        try Self.check(unsafe BN_sqr(result.pointer, number.pointer, context) == 1)
        return result
    }

    func power(_ base: borrowing BigNumber, exponent: UInt) throws(OpenSSLError) -> BigNumber {
        let result = try BigNumber()
        let exponent = try BigNumber(exponent)
        try Self.check(unsafe BN_exp(result.pointer, base.pointer, exponent.pointer, context) == 1)
        return result
    }

    /// `base` to the power of `exponent`, modulo an odd `modulus`.
    func power(
        _ base: UInt,
        exponent: borrowing BigNumber,
        modulus: borrowing BigNumber
    ) throws(OpenSSLError) -> BigNumber {
        let result = try BigNumber()
        let status = unsafe BN_mod_exp_mont_word(
            result.pointer,
            base,
            exponent.pointer,
            modulus.pointer,
            context,
            nil
        )
        try Self.check(status == 1)
        return result
    }

    /// The greatest integer whose power of `exponent` (2 or more) is not above `number`, by Newton's method from above.
    func floorRoot(of number: borrowing BigNumber, exponent: UInt) throws(OpenSSLError) -> BigNumber {
        var root = try BigNumber(0)
        guard number.bits > 0 else { return root }
        let start = (number.bits + Int(exponent) - 1) / Int(exponent)
        try Self.check(unsafe BN_set_bit(root.pointer, Int32(clamping: start)) == 1)
        for _ in 0..<Self.newtonStepsMax {
            var next = try BigNumber()
            let divisor = exponent == 2 ? try root.copy() : try power(root, exponent: exponent - 1)
            try Self.check(unsafe BN_div(next.pointer, nil, number.pointer, divisor.pointer, context) == 1)
            var weighted = try root.copy()
            try weighted.multiply(by: exponent - 1)
            try next.add(weighted)
            try next.divide(by: exponent)
            guard next.compared(to: root) < 0 else { return root }
            root = next
        }
        throw OpenSSLError(operation: "calculate a root", reasons: ["it takes too many steps"])
    }
}
